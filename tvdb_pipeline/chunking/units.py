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
_TITLE_CHARACTERS: Final = 200  # of a title in section paths, which stand beside every chunk below it
_SKIPPED: Final = frozenset({"Header", "Footer", "PageNumber", "PageBreak"})
_WHOLE: Final = frozenset({"Title", "Table"})
_SENTENCE_END = re.compile(r"[.!?;:][\"'”’)\]]*(\s)(?=[\"'“‘(\[]?[A-Z0-9À-Þ])")
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
    """text: one line, spaces normalised; tokens: its cl100k count; page, last_page: where it begins and ends; section: titles
    above it, outermost first."""

    text: str
    tokens: int
    page: int
    last_page: int
    section: tuple[str, ...]
    strength: Strength


def units(elements: Sequence[Element]) -> list[Unit]:
    """The units of a document in reading order. Page headers, footers and page numbers are left out."""
    found: list[Unit] = []
    titles: dict[int, str] = {}
    for passage in _passages(elements):
        if passage.category == "Title":
            titles = {level: title for level, title in titles.items() if level < passage.depth}
            titles[passage.depth] = passage.text[:_TITLE_CHARACTERS]
        section = tuple(titles[level] for level in sorted(titles))
        start = 0
        for piece, strength in _pieces(passage):
            start = max(start, passage.text.find(piece, start))
            page, last_page = passage.page_at(start), passage.page_at(start + len(piece) - 1)
            found.append(Unit(piece, count_tokens(piece), page, last_page, section, strength))
            start += len(piece)
    return found


@dataclass(slots=True)
class _Passage:
    """One element, or several that a page or column broke: text in single spaces (rows of a table in lines), and at which
    offsets of it which page begins."""

    category: str
    depth: int
    text: str
    pages: list[tuple[int, int]]

    def page_at(self, offset: int) -> int:
        return next(page for start, page in reversed(self.pages) if start <= offset or start == 0)

    def extend(self, text: str, page: int) -> None:
        self.text += " "
        self.pages.append((len(self.text), page))
        self.text += text


def _passages(elements: Sequence[Element]) -> Iterator[_Passage]:
    """Elements with what a page broke put together again, so that a cut does not depend on where pages end."""
    held: _Passage | None = None
    for element in elements:
        text = _SPACE.sub(" ", element.text or "").strip()
        if element.category in _SKIPPED or not text:
            continue
        page = element.metadata.page_number or 1
        if held is not None and _goes_on(held, element, text, page):
            held.extend(text, page)
            continue
        if held is not None:
            yield held
        if element.category == "Table":
            rows = (_SPACE.sub(" ", row).strip() for row in (element.text or "").splitlines())
            text = "\n".join(row for row in rows if row)
        held = _Passage(element.category, element.metadata.category_depth or 0, text, [(0, page)])
    if held is not None:
        yield held


def _goes_on(before: _Passage, element: Element, text: str, page: int) -> bool:
    if before.category in _WHOLE or element.category in _WHOLE or element.category == "ListItem":
        return False
    if element.metadata.is_continuation:
        return True
    # Readers that do not say so: a page ended without a full stop, and the next one starts small.
    return page > before.pages[-1][1] and text[:1].islower() and not _ENDS_SENTENCE.search(before.text)


def _pieces(passage: _Passage) -> Iterator[tuple[str, Strength]]:
    if passage.category == "Title":
        yield from _fitting(passage.text, Strength.TITLE)
    elif passage.category == "Table":
        for number, row in enumerate(passage.text.split("\n")):
            yield from _fitting(row, Strength.ROW if number else Strength.PARAGRAPH)
    else:
        first = Strength.ITEM if passage.category == "ListItem" else Strength.PARAGRAPH
        for number, sentence in enumerate(_sentences(passage.text)):
            yield from _fitting(sentence, Strength.SENTENCE if number else first)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.start(1)]
        start = end.end(1)
    yield text[start:]


def _fitting(text: str, strength: Strength) -> Iterator[tuple[str, Strength]]:
    """The text, in pieces of at most MAX_UNIT_TOKENS cut at spaces (inside a word only where it alone is longer)."""
    if len(text.encode()) <= MAX_UNIT_TOKENS or count_tokens(text) <= MAX_UNIT_TOKENS:
        if text:
            yield text, strength
        return
    middle = len(text) // 2
    gaps = [text.rfind(" ", 1, middle), text.find(" ", middle, -1)]
    cut = min((gap for gap in gaps if gap > 0), key=lambda gap: abs(gap - middle), default=middle)
    yield from _fitting(text[:cut].rstrip(), strength)
    yield from _fitting(text[cut:].lstrip(), Strength.CONTINUATION)
