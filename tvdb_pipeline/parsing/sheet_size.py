"""How large a table kept as a file may be.

Belongs here: the bounds on cells, sheets and styles, and counting what is there before anything is made of it. Does not:
reading cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tvdb_pipeline.errors import DocumentRefused

MOST_CELLS: Final = 2_000_000
"""Written in one file: reading a million takes a minute and a gigabyte."""

MOST_PLACES: Final = 5_000_000
"""Of a block of rows laid out as a rectangle, empty places included: a single far cell makes every row as long."""

MOST_CHARACTERS: Final = 50_000_000
"""Shown by the cells of one sheet: any number of them can show the same long text."""

MOST_SHEETS: Final = 1000
MOST_STYLES: Final = 65_536
"""Cell formats of a workbook: as many as Excel allows."""

_CELL = re.compile(rb"<(?:[^\s<>/:]+:)?c[\s/>]")
_STYLE = re.compile(rb"<(?:[^\s<>/:]+:)?xf[\s/>]")
_SHEET = re.compile(rb"<(?:[^\s<>/:]+:)?sheet[\s/>]")


def check_parts(parts: Iterable[bytes]) -> None:
    """Raise DocumentRefused (`too_large`) where the parts of a workbook list more than can be read."""
    cells = 0
    for content in parts:
        cells += _count(_CELL, content, MOST_CELLS)
        if cells > MOST_CELLS:
            raise _too_large("cells", MOST_CELLS)
        for pattern, most, what in ((_STYLE, MOST_STYLES, "cell formats"), (_SHEET, MOST_SHEETS, "sheets")):
            if _count(pattern, content, most) > most:
                raise _too_large(what, most)


def check_rectangles(widths: Iterable[int]) -> None:
    """Raise DocumentRefused (`too_large`) for rows of these widths; 0 is a blank row, which parts one block from the next."""
    rows = widest = 0
    for width in widths:
        rows, widest = (rows + 1, max(widest, width)) if width else (0, 0)
        if rows * widest > MOST_PLACES:
            raise _too_large("places in one table", MOST_PLACES)


def too_many_characters() -> DocumentRefused:
    """The refusal of a sheet with more than MOST_CHARACTERS."""
    return _too_large("characters in one sheet", MOST_CHARACTERS)


def _count(pattern: re.Pattern[bytes], content: bytes, most: int) -> int:
    count = 0
    for count, _ in enumerate(pattern.finditer(content), start=1):
        if count > most:
            break
    return count


def _too_large(what: str, most: int) -> DocumentRefused:
    return DocumentRefused("too_large", f"The file has over {most} {what}; split it into smaller files.")
