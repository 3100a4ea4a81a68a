"""A sheet of cells taken apart into titles, notes and tables, as a reader sees them.

Belongs here: finding the blocks on a grid and making elements of them. Does not: reading a file into a grid (`tabular`,
`workbook`) or the text of one table (`tables`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tvdb_pipeline.parsing.tables import count_header_rows, merged_header, row_line, rows_to_html, tidy

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

ROWS_PER_TABLE = 200
_LONGEST_TITLE = 120
_LONGEST_ENTRY = 100

Row = Sequence[str]


def grid_elements(rows: Sequence[Row]) -> list[Element]:
    """Elements for everything on a grid, in reading order; blocks are parted by blank rows."""
    found: list[Element] = []
    for block in _blocks(rows):
        for part in _side_by_side(block):
            found += _block_elements(part)
    return found


def _blocks(rows: Sequence[Row]) -> Iterator[list[list[str]]]:
    block: list[list[str]] = []
    for row in [*rows, []]:
        line = [cell.strip() for cell in row]
        if any(line):
            block.append(line)
        elif block:
            yield block
            block = []


def _side_by_side(block: list[list[str]]) -> list[list[list[str]]]:
    """The block, or the tables beside each other in it: parted by an empty column, each with a header of its own."""
    width = max(len(row) for row in block)
    padded = [row + [""] * (width - len(row)) for row in block]
    parts: list[list[list[str]]] = []
    start = 0
    for column in range(width + 1):
        if column == width or not any(row[column] for row in padded):
            part = tidy([row[start:column] for row in padded])
            start = column + 1
            if part:
                parts.append(part)
    # The empty columns of a form stand between a name and its value, which must stay together.
    if len(parts) > 1 and all(len(part) > 1 and len(part[0]) > 1 and count_header_rows(part) for part in parts):
        return parts
    return [padded]


def _block_elements(block: list[list[str]]) -> Iterator[Element]:
    from unstructured.documents.elements import Text

    grid = tidy(block)
    while grid and len(grid[0]) > 1 and sum(bool(cell) for cell in grid[0]) == 1:
        yield _heading(next(cell for cell in grid[0] if cell), followed=len(grid) > 1)
        grid = tidy(grid[1:])
    if not grid:
        return
    if len(grid) == 1 and len(grid[0]) == 1:
        yield _heading(grid[0][0], followed=False)
    elif len(grid[0]) == 1 and any(len(row[0]) > _LONGEST_ENTRY for row in grid):
        yield from (Text(row[0]) for row in grid)
    else:
        yield from _tables(grid)


def _heading(text: str, followed: bool) -> Element:
    from unstructured.documents.elements import Text, Title

    words = any(character.isalpha() for character in text)
    sentence = text.endswith((".", ";", ",")) or len(text) > _LONGEST_TITLE
    return Title(text) if words and (followed or not sentence) and len(text) <= _LONGEST_TITLE else Text(text)


def _tables(grid: list[list[str]]) -> Iterator[Element]:
    from unstructured.documents.elements import ElementMetadata, Table

    count = count_header_rows(grid)
    headers, body = merged_header(grid[:count]), grid[count:]
    for start in range(0, len(body), ROWS_PER_TABLE):
        piece = body[start : start + ROWS_PER_TABLE]
        text = "\n".join(line for line in (row_line(row, headers) for row in piece) if line)
        markup = rows_to_html([*grid[:count], *piece], header_rows=count)
        yield Table(text, metadata=ElementMetadata(text_as_html=markup))
