"""Elements -> units: the smallest pieces a cut may fall between (sentences, list items, table rows, titles).

Belongs here: splitting elements and knowing how strongly each unit begins something new. Does not: choosing the cuts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from tvdb_pipeline.chunking.tokens import count_tokens

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

MAX_UNIT_TOKENS: Final = 160
"""A longer sentence or row is cut at spaces, so that units always pack into chunks of 512."""
_SKIPPED: Final = frozenset({"Header", "Footer", "PageNumber", "PageBreak"})
_SENTENCE_END = re.compile(r"(?<=[.!?;:])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9À-Þ])")
_ENDS_SENTENCE = re.compile(r"[.!?:;][\"')\]]*$")
_SPACE = re.compile(r"\s+")


class Strength(IntEnum):
    """How much a unit begins something new: a cut prefers to fall before a stronger one."""

    CONTINUATION = 0  # goes on a sentence that was too long, or was broken by a page
    SENTENCE = 1
    ROW = 2
    ITEM = 3
    PARAGRAPH = 4
    TITLE = 5


@dataclass(frozen=True, slots=True)
class Unit:
    """text: one line, spaces normalised; tokens: its cl100k count; section: titles above it, outermost first."""

    text: str
    tokens: int
    page: int
    section: tuple[str, ...]
    strength: Strength


def units(elements: Sequence[Element]) -> list[Unit]:
    """The units of a document in reading order. Page headers, footers and page numbers are left out."""
    found: list[Unit] = []
    titles: dict[int, str] = {}
    for element in elements:
        text = element.text or ""
        if element.category in _SKIPPED or not text.strip():
            continue
        page = element.metadata.page_number or 1
        if element.category == "Title":
            depth = element.metadata.category_depth or 0
            titles = {level: title for level, title in titles.items() if level < depth}
            titles[depth] = _SPACE.sub(" ", text).strip()
        section = tuple(titles[level] for level in sorted(titles))
        for piece, strength in _pieces(element.category, text, found):
            found.append(Unit(piece, count_tokens(piece), page, section, strength))
    return found


def _pieces(category: str, text: str, before: Sequence[Unit]) -> Iterator[tuple[str, Strength]]:
    if category == "Title":
        yield from _fitting(_SPACE.sub(" ", text).strip(), Strength.TITLE)
    elif category == "Table":
        for number, row in enumerate(line for line in text.splitlines() if line.strip()):
            yield from _fitting(_SPACE.sub(" ", row).strip(), Strength.ROW if number else Strength.PARAGRAPH)
    else:
        flat = _SPACE.sub(" ", text).strip()
        first = Strength.ITEM if category == "ListItem" else Strength.PARAGRAPH
        if first is Strength.PARAGRAPH and _goes_on(flat, before):
            first = Strength.CONTINUATION
        for number, sentence in enumerate(_SENTENCE_END.split(flat)):
            yield from _fitting(sentence, Strength.SENTENCE if number else first)


def _goes_on(text: str, before: Sequence[Unit]) -> bool:
    """Whether a paragraph goes on the one before it (a page or column broke it): no full stop there, small letter here."""
    if not before or before[-1].strength in (Strength.TITLE, Strength.ROW):
        return False
    return text[:1].islower() and not _ENDS_SENTENCE.search(before[-1].text)


def _fitting(text: str, strength: Strength) -> Iterator[tuple[str, Strength]]:
    """The text, in pieces of at most MAX_UNIT_TOKENS cut at spaces (inside a word only where it alone is longer)."""
    if len(text) <= MAX_UNIT_TOKENS or count_tokens(text) <= MAX_UNIT_TOKENS:
        if text:
            yield text, strength
        return
    middle = len(text) // 2
    gaps = [text.rfind(" ", 1, middle), text.find(" ", middle, -1)]
    cut = min((gap for gap in gaps if gap > 0), key=lambda gap: abs(gap - middle), default=middle)
    yield from _fitting(text[:cut].rstrip(), strength)
    yield from _fitting(text[cut:].lstrip(), Strength.CONTINUATION)
