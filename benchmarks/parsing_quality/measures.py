"""The measures: what was read, compared with what is there.

Belongs here: functions of two texts or two tables. Does not: where they come from.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Final

from rapidfuzz.distance import LCSseq, Levenshtein

_WORD = re.compile(r"\w+(?:[.,'’/-]\w+)*")
_MOST_PLACES: Final = 4
"""Decimals of the rates in the records."""
Table = Sequence[Sequence[str]]
"""Rows of cells, the first row being the names of the columns."""


@dataclass(slots=True)
class Score:
    """Sums over pages: `characters` and `words` of the truth, errors in them (insertions, deletions, replacements), words found
    in any order, and of those the most that stand in the order of the truth."""

    characters: int = 0
    character_errors: int = 0
    words: int = 0
    word_errors: int = 0
    found: int = 0
    in_order: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.characters + other.characters,
            self.character_errors + other.character_errors,
            self.words + other.words,
            self.word_errors + other.word_errors,
            self.found + other.found,
            self.in_order + other.in_order,
        )


def words(text: str) -> list[str]:
    """The words of a text: letters and digits, with the marks inside numbers and compounds, without case."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def score(truth: str, read: str) -> Score:
    """Compare the text of a page with its truth. Runs of white space count as one space."""
    expected, got = " ".join(truth.split()), " ".join(read.split())
    expected_words, got_words = words(truth), words(read)
    found = sum((Counter(expected_words) & Counter(got_words)).values())
    return Score(
        len(expected),
        Levenshtein.distance(expected, got),
        len(expected_words),
        Levenshtein.distance(expected_words, got_words),
        found,
        LCSseq.similarity(expected_words, got_words),
    )


def cells_found(truth: Table, tables: Sequence[Table]) -> tuple[int, int]:
    """(cells in the right row and column, cells of the truth), of the table among `tables` that fits best.

    A cell is right where the value stands in the row that begins as it should, under the column that is named as it should. The
    names of the columns may stand below other rows (a title read as part of the table).
    """
    cells = sum(1 for row in truth[1:] for cell in row[1:] if cell.strip())
    return max((_right(truth, table) for table in tables), default=0), cells


def _right(truth: Table, table: Table) -> int:
    return max((_right_below(truth, table, head) for head in range(len(table))), default=0)


def _right_below(truth: Table, table: Table, head: int) -> int:
    """Cells right if row `head` of the table names its columns."""
    columns = {_plain(name): index for index, name in enumerate(table[head])}
    first = columns.get(_plain(truth[0][0]))
    if first is None:
        return 0
    rows: dict[str, list[Sequence[str]]] = {}
    for row in table[head + 1 :]:
        if first < len(row):
            rows.setdefault(_plain(row[first]), []).append(row)
    right = 0
    for expected in truth[1:]:
        candidates = rows.get(_plain(expected[0]), [])
        right += max((_agreeing(truth[0], expected, row, columns) for row in candidates), default=0)
    return right


def _agreeing(names: Sequence[str], expected: Sequence[str], row: Sequence[str], columns: dict[str, int]) -> int:
    right = 0
    for name, cell in list(zip(names, expected, strict=False))[1:]:
        index = columns.get(_plain(name))
        right += bool(cell.strip()) and index is not None and index < len(row) and _plain(row[index]) == _plain(cell)
    return right


def holds_value(value: object, text: str) -> bool:
    """Whether a value of a record stands in a text as whole words. `text`: as `plain_words` gives it."""
    return any(f" {form} " in text for form in _forms(value))


def plain_words(text: str) -> str:
    """A text to look for values in: words with one space around each, without case or marks at their ends."""
    return " " + " ".join(_stripped(word) for word in text.casefold().split()) + " "


def _forms(value: object) -> set[str]:
    """How a value may be written: a text as it is; a number exactly, with or without separators and ending zeros, a negative one
    also as a credit in brackets."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return {plain_words(str(value)).strip()}
    number = abs(value)
    places = [places for places in range(_MOST_PLACES + 1) if isclose(round(number, places), number, rel_tol=1e-12)]
    written = {f"{number:{comma}.{decimals}f}" for comma in ("", ",") for decimals in places}
    if value < 0:
        written = {f"-{form}" for form in written} | {f"(${form})" for form in written}
    return {plain_words(form).strip() for form in written}


def _stripped(word: str) -> str:
    return word.strip(".,:;()[]|$\"'*") or word


def _plain(cell: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", cell).casefold().split())
