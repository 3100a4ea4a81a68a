"""The text layer of a page as lines with place, size and weight.

Belongs here: asking PDFium for text and geometry. Does not: judging the text (`routing`) or grouping lines
(`layout`). PDFium is asked for the whole page's text once, then for the place of each word: asking for each
character costs five times as much.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from typing import Any, Final

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tvdb_pipeline.parsing.lines import FROM_THE_RIGHT, HYPHEN, Box, TextLine
from tvdb_pipeline.parsing.pdf.corridors import find_corridors
from tvdb_pipeline.parsing.pdf.geometry import PageFrame

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
    direct = len(text) == raw.FPDFText_CountChars(textpage)
    font, ruler = _FontReader(textpage), _Ruler(textpage, frame)
    joined = _joined_as_spoken if FROM_THE_RIGHT.search(text) else _joined
    rows: list[list[_Word]] = []
    start = 0
    for row in re.split(r"(?<=\n)", text):
        words: list[_Word] = []
        for match in _WORD.finditer(row):
            first, last = start + match.start(), start + match.end() - 1
            if not direct:
                first, last = (raw.FPDFText_GetCharIndexFromTextIndex(textpage, index) for index in (first, last))
            box = ruler.box(first, last)
            if box is not None and box.right > box.left:
                word = match.group()
                clean = word if word.isascii() else word.translate(_LETTERS)
                words.append((clean, box, first, last))
        rows.append(words)
        start += len(row)
    corridors = find_corridors([[word[1] for word in words] for words in rows])
    return [line for words in rows for line in joined(words, [*walls, *corridors], font)]


_Word = tuple[str, Box, int, int]
"""A word, its box on the upright page, and the numbers of its first and last characters."""


def _joined(words: list[_Word], walls: list[Box], font: _FontReader) -> list[TextLine]:
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


def _joined_as_spoken(words: list[_Word], walls: list[Box], font: _FontReader) -> list[TextLine]:
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


def _apart(before: Box, box: Box, walls: list[Box]) -> bool:
    height = max(before.bottom - before.top, box.bottom - box.top)
    gap = box.left - before.right
    if gap > _COLUMN_GAP * height or gap < -2 * height or min(before.bottom, box.bottom) <= max(before.top, box.top):
        return True
    middle = (box.top + box.bottom) / 2
    return any(
        before.right - 1 <= wall.left and wall.right <= box.left + 1 and wall.top <= middle <= wall.bottom
        for wall in walls
    )


_ASCENT, _DESCENT = 0.8, 0.25
"""Part of the font size a line is taken to reach above and below its baseline: fonts' own boxes differ too much to compare."""


class _Ruler:
    """Boxes of words, from the outer edges of their first and last characters and the font size in points."""

    def __init__(self, textpage: Any, frame: PageFrame) -> None:
        self._textpage, self._frame = textpage, frame
        self._rect, self._matrix = raw.FS_RECTF(), raw.FS_MATRIX()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._rect_at, self._matrix_at = ctypes.byref(self._rect), ctypes.byref(self._matrix)
        self._origin_at = (ctypes.byref(self._x), ctypes.byref(self._y))

    def box(self, first: int, last: int) -> Box | None:
        """The box on the upright page; None for characters that have no place."""
        rect, matrix = self._rect, self._matrix
        if not raw.FPDFText_GetLooseCharBox(self._textpage, first, self._rect_at):
            return None
        left, bottom, right, top = rect.left, rect.bottom, rect.right, rect.top
        if last != first and raw.FPDFText_GetLooseCharBox(self._textpage, last, self._rect_at):
            left, right = min(left, rect.left), max(right, rect.right)
            bottom, top = min(bottom, rect.bottom), max(top, rect.top)
        horizontal = raw.FPDFText_GetMatrix(self._textpage, first, self._matrix_at) and abs(matrix.b) < 0.2 * abs(
            matrix.a
        )
        if horizontal and raw.FPDFText_GetCharOrigin(self._textpage, first, *self._origin_at):
            size = raw.FPDFText_GetFontSize(self._textpage, first) * (matrix.c**2 + matrix.d**2) ** 0.5
            if size > 0:
                # On a page that is turned by 180 degrees the letters stand on their heads in user space.
                above, below = (_ASCENT, _DESCENT) if matrix.d >= 0 else (_DESCENT, _ASCENT)
                bottom, top = self._y.value - below * size, self._y.value + above * size
        return self._frame.upright(left, bottom, right, top)


class _FontReader:
    """Whether a character's font is bold, by weight or by name."""

    def __init__(self, textpage: Any) -> None:
        self._textpage = textpage
        self._buffer = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()

    def is_bold(self, index: int) -> bool:
        length = raw.FPDFText_GetFontInfo(self._textpage, index, self._buffer, 128, ctypes.byref(self._flags))
        name = self._buffer.raw[: min(length, 128)].lower()
        return b"bold" in name or b"black" in name or b"heavy" in name
