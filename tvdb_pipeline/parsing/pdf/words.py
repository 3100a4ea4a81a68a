"""The text layer of a page as lines with place, size and weight.

Belongs here: words into lines. Does not: where words stand (`ruler`), judging the text (`routing`) or grouping lines
(`layout`). PDFium is asked for the whole page's text once, then for the place of each word: asking for each
character costs five times as much.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import Final

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tvdb_pipeline.parsing.lines import FROM_THE_RIGHT, HYPHEN, Box, TextLine
from tvdb_pipeline.parsing.pdf.calls import char_index, handle
from tvdb_pipeline.parsing.pdf.corridors import find_corridors
from tvdb_pipeline.parsing.pdf.geometry import PageFrame
from tvdb_pipeline.parsing.pdf.ruler import FontReader, word_boxes

_left = attrgetter("left")
_WORD = re.compile(r"\S+")
_COLUMN_GAP: Final = 1.0
"""A gap wider than this many line heights ends a line: what follows stands in another column or cell."""
_LETTERS = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\u00a0": " ", "\u00ad": ""}
    | {"\ufffe": HYPHEN}
)
"""Ligatures and invisible marks as plain letters."""

_JOINED_FORMS = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]+")


def page_text(textpage: pdfium.PdfTextPage) -> str:
    """All text of the page in the order of its content stream, lines ended by CR LF."""
    return textpage.get_text_range(errors="replace")


def text_lines(textpage: pdfium.PdfTextPage, text: str, frame: PageFrame, walls: list[Box]) -> list[TextLine]:
    """The lines of `text`, which is `page_text(textpage)`. walls: vertical rules, which no line crosses."""
    found, rows = _words(textpage, text)
    boxes = word_boxes(textpage, [word[1] for word in found], [word[2] for word in found], frame)
    lines: list[list[_Word]] = [[] for _ in range(rows)]
    for (word, first, last, row), box in zip(found, boxes, strict=True):
        if box is not None and box.right > box.left:
            lines[row].append((word if word.isascii() else word.translate(_LETTERS), box, first, last))
    font, joined = FontReader(textpage), _joined_as_spoken if FROM_THE_RIGHT.search(text) else _joined
    parted = _Walls([*walls, *find_corridors([[word[1] for word in words] for words in lines])])
    return [line for words in lines for line in joined(words, parted, font)]


def _words(textpage: pdfium.PdfTextPage, text: str) -> tuple[list[tuple[str, int, int, int]], int]:
    """Each word with the numbers of its first and last characters and of its row; how many rows there are."""
    page = handle(textpage)
    direct = len(text) == raw.FPDFText_CountChars(textpage)
    found: list[tuple[str, int, int, int]] = []
    start = number = 0
    for number, row in enumerate(re.split(r"(?<=\n)", text)):
        for match in _WORD.finditer(row):
            first, last = start + match.start(), start + match.end() - 1
            if not direct:
                first, last = char_index(page, first), char_index(page, last)
            found.append((match.group(), first, last, number))
        start += len(row)
    return found, number + 1


_Word = tuple[str, Box, int, int]
"""A word, its box on the upright page, and the numbers of its first and last characters."""


def _joined(words: list[_Word], walls: _Walls, font: FontReader) -> list[TextLine]:
    lines: list[TextLine] = []
    for word, box, first, last in words:
        before = lines[-1] if lines else None
        if before is not None and not _apart(before.box, box, walls):
            before.text += " " + word
            before.bold = before.bold and font.is_bold(last)
            reach = before.box
            before.box = Box(
                min(reach.left, box.left), min(reach.top, box.top),
                max(reach.right, box.right), max(reach.bottom, box.bottom),
            )  # fmt: skip
        else:
            lines.append(TextLine(word, box, box.bottom - box.top, font.is_bold(first)))
    return lines


def _joined_as_spoken(words: list[_Word], walls: _Walls, font: FontReader) -> list[TextLine]:
    """Lines of a page with text from right to left, in which numbers and foreign words run the other way.

    Which words stand together is told by their places alone; their order is that of the text, which is the spoken one.
    """
    pieces: list[tuple[Box, list[int]]] = []
    for number in sorted(range(len(words)), key=lambda number: words[number][1].left):
        box = words[number][1]
        if pieces and not _apart(pieces[-1][0], box, walls):
            pieces[-1] = (_around(pieces[-1][0], box), [*pieces[-1][1], number])
        else:
            pieces.append((box, [number]))
    lines: list[TextLine] = []
    for box, numbers in sorted(pieces, key=lambda piece: min(piece[1])):
        held = [words[number] for number in sorted(numbers)]
        text = _JOINED_FORMS.sub(
            lambda found: unicodedata.normalize("NFKC", found.group()), " ".join(word[0] for word in held)
        )
        bold = all(font.is_bold(word[2]) for word in held)
        lines.append(TextLine(text, box, held[0][1].bottom - held[0][1].top, bold))
    return lines


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left), min(one.top, other.top), max(one.right, other.right), max(one.bottom, other.bottom)
    )


def _apart(before: Box, box: Box, walls: _Walls) -> bool:
    _, top_before, right_before, bottom_before = before
    left, top, _, bottom = box
    height = max(bottom_before - top_before, bottom - top)
    gap = left - right_before
    if gap > _COLUMN_GAP * height or gap < -2 * height or bottom_before <= top or bottom <= top_before:
        return True
    return walls.between(right_before - 1, left + 1, (top + bottom) / 2)


class _Walls:
    """Vertical boundaries, in order from the left, so that few are looked at for each pair of words."""

    def __init__(self, walls: list[Box]) -> None:
        self._walls = sorted(walls, key=_left)
        self._lefts = [wall.left for wall in self._walls]

    def between(self, left: float, right: float, y: float) -> bool:
        """Whether one of them stands between these x at the height y."""
        for wall in self._walls[bisect_left(self._lefts, left) : bisect_right(self._lefts, right)]:
            if wall.right <= right and wall.top <= y <= wall.bottom:
                return True
        return False
