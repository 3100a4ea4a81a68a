"""Where the words of a text layer stand, and which characters are bold.

Belongs here: asking PDFium about characters, all words of a page at once. Does not: words into lines (`words`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

import numpy as np
import pypdfium2 as pdfium

from tvdb_pipeline.parsing.lines import Box
from tvdb_pipeline.parsing.pdf import calls
from tvdb_pipeline.parsing.pdf.geometry import PageFrame

_ASCENT, _DESCENT = 0.8, 0.25
"""Part of the font size a line is taken to reach above and below its baseline: fonts' own boxes differ too much to compare."""
_TURNED: Final = 0.2  # a baseline steeper than this is not horizontal
_Numbers = np.ndarray[Any, np.dtype[Any]]


def word_boxes(
    textpage: pdfium.PdfTextPage, firsts: Sequence[int], lasts: Sequence[int], frame: PageFrame
) -> list[Box | None]:
    """The box of each word on the upright page, from the outer edges of its first and last characters and its font size.

    firsts, lasts: numbers of those characters. None for a word that has no place.
    """
    if not firsts:
        return []
    page = calls.handle(textpage)
    placed, first_edges = _edges(page, firsts)
    ended, last_edges = _edges(page, lasts)
    left, top, right, bottom = first_edges.T
    # A word of one character is its own first and last: nothing changes for it.
    left, right = (
        _merged(ended, np.minimum, left, last_edges[:, 0]),
        _merged(ended, np.maximum, right, last_edges[:, 2]),
    )
    bottom, top = (
        _merged(ended, np.minimum, bottom, last_edges[:, 3]),
        _merged(ended, np.maximum, top, last_edges[:, 1]),
    )
    bottom, top = _by_font_size(page, firsts, bottom, top)
    sides = frame.sides(left, bottom, right, top)
    boxes: list[Box | None] = list(map(Box._make, zip(*(side.tolist() for side in sides), strict=True)))
    for number in np.flatnonzero(~placed).tolist():
        boxes[number] = None
    return boxes


def _edges(page: int, numbers: Sequence[int]) -> tuple[_Numbers, _Numbers]:
    """Whether each character has a place, and its left, top, right and bottom in user space: shape (n, 4), float64."""
    edges = np.zeros((len(numbers), 4), dtype=np.float32)
    known = list(map(calls.loose_box, repeat(page), numbers, _rows(edges)))
    return np.array(known, dtype=bool), edges.astype(np.float64)


def _rows(array: _Numbers) -> range:
    """The addresses of the rows of an array."""
    start, step = int(array.ctypes.data), int(array.strides[0])
    return range(start, start + step * len(array), step)


def _merged(both: _Numbers, how: Any, one: _Numbers, other: _Numbers) -> _Numbers:
    return np.where(both, how(one, other), one)


def _by_font_size(page: int, firsts: Sequence[int], bottom: _Numbers, top: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Bottom and top of words on a level baseline, by font size; the others keep theirs."""
    # The same loose box as the word before means the same baseline, font and size: a line is asked about once.
    fresh = np.ones(len(firsts), dtype=bool)
    fresh[1:] = (bottom[1:] != bottom[:-1]) | (top[1:] != top[:-1]) | (top[1:] <= bottom[1:])
    asked = [firsts[number] for number in np.flatnonzero(fresh).tolist()]
    level, low, high = (answer[np.cumsum(fresh) - 1] for answer in _baselines(page, asked))
    return np.where(level, low, bottom), np.where(level, high, top)


def _baselines(page: int, numbers: Sequence[int]) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Whether each character stands on a level baseline, and what it reaches down and up to by its font size."""
    matrices = np.zeros((len(numbers), 6), dtype=np.float32)
    known = np.array(list(map(calls.matrix_of, repeat(page), numbers, _rows(matrices))), dtype=bool)
    origins = np.zeros((len(numbers), 2), dtype=np.float64)
    places = _rows(origins)
    known &= np.array(list(map(calls.origin, repeat(page), numbers, places, (at + 8 for at in places))), dtype=bool)
    a, b, c, d = (matrices[:, column].astype(np.float64) for column in range(4))
    size = np.array(list(map(calls.font_size, repeat(page), numbers))) * np.sqrt(c**2 + d**2)
    # On a page that is turned by 180 degrees the letters stand on their heads in user space.
    above, below = np.where(d >= 0, _ASCENT, _DESCENT), np.where(d >= 0, _DESCENT, _ASCENT)
    y = origins[:, 1]
    return known & (np.abs(b) < _TURNED * np.abs(a)) & (size > 0), y - below * size, y + above * size


class FontReader:
    """Whether a character's font is bold, by its name."""

    def __init__(self, textpage: pdfium.PdfTextPage) -> None:
        self._page = calls.handle(textpage)
        self._buffer, self._flags = ctypes.create_string_buffer(128), ctypes.c_int()
        self._name_at, self._flags_at = ctypes.addressof(self._buffer), ctypes.addressof(self._flags)

    def is_bold(self, index: int) -> bool:
        """For the character of this number."""
        length = calls.font_info(self._page, index, self._name_at, 128, self._flags_at)
        name = self._buffer.raw[: min(length, 128)].lower()
        return b"bold" in name or b"black" in name or b"heavy" in name
