"""Tables without rules: rows whose cells stand under one another.

Belongs here: finding runs of such rows among the lines of a block. Does not: ruled tables (`grid`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tvdb_pipeline.parsing.lines import Box, TextLine

_LEAST_ROWS: Final = 3
_LEAST_COLUMNS: Final = 3  # two are enough under bold names of columns
_COLUMN_GAP: Final = 0.25  # of a line height: white space that runs down all rows
_FILLED: Final = 0.55  # part of the cells that must hold something
_MAX_CELL_WORDS: Final = 14
_MAX_ABOVE: Final = 3
_MAX_STEP: Final = 3.2  # line heights from one row to the next


@dataclass(slots=True)
class AlignedTable:
    """Cells row by row, and the region."""

    cells: list[list[str]]
    box: Box


def split_tables(lines: Sequence[TextLine]) -> Iterator[list[TextLine] | AlignedTable]:
    """The lines of a block (rows in order), with runs of aligned rows taken out as tables."""
    prose: list[TextLine] = []
    run: list[list[TextLine]] = []
    for row in [*_rows(lines), []]:
        if row and len(row) > 1 and (not run or _follows(run[-1], row)):
            run.append(row)
            continue
        above, table = _best_table(run)
        prose.extend(line for cells in above for line in cells)
        if table is not None:
            if prose:
                yield prose
            yield table
            prose = []
        run = []
        if len(row) > 1:
            run = [row]
        else:
            prose.extend(row)
    if prose:
        yield prose


def _rows(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    rows: list[list[TextLine]] = []
    for line in lines:
        before = rows[-1][-1] if rows else None
        overlap = 0.0 if before is None else min(before.box.bottom, line.box.bottom) - max(before.box.top, line.box.top)
        if before is not None and overlap > 0.5 * min(before.size, line.size) and line.box.left >= before.box.right - 1:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _follows(above: list[TextLine], row: list[TextLine]) -> bool:
    return 0 < row[0].box.bottom - above[0].box.bottom <= _MAX_STEP * row[0].size


def _best_table(run: list[list[TextLine]]) -> tuple[list[list[TextLine]], AlignedTable | None]:
    """The run as (rows above, table): a line of labels over a table is left out where that shows more columns."""
    tables = [(skip, _table(run[skip:])) for skip in range(min(_MAX_ABOVE, len(run)) + 1)]
    found = [(len(table.cells[0]), -skip, table) for skip, table in tables if table is not None]
    if not found:
        return run, None
    _, skip, table = max(found, key=lambda entry: entry[:2])
    return run[:-skip] if skip else [], table


def _table(run: list[list[TextLine]]) -> AlignedTable | None:
    if len(run) < _LEAST_ROWS:
        return None
    columns = _columns([line for row in run for line in row])
    if len(columns) < (2 if _is_headed(run) else _LEAST_COLUMNS):
        return None
    cells = [["" for _ in columns] for _ in run]
    for number, row in enumerate(run):
        for line in row:
            if len(line.text.split()) > _MAX_CELL_WORDS:
                return None
            column = next(index for index, (_, right) in enumerate(columns) if line.box.left <= right)
            cells[number][column] = f"{cells[number][column]} {line.text}".strip()
    filled = sum(1 for row in cells for cell in row if cell)
    if filled < _FILLED * len(cells) * len(columns):
        return None
    every = [line.box for row in run for line in row]
    box = Box(
        min(b.left for b in every), min(b.top for b in every), max(b.right for b in every), max(b.bottom for b in every)
    )
    return AlignedTable(cells, box)


def _is_headed(run: list[list[TextLine]]) -> bool:
    """Whether the first row, and it alone, is bold in all its cells: names of columns, not labels before their values."""
    return all(line.bold for line in run[0]) and not any(line.bold for row in run[1:] for line in row[1:])


def _columns(lines: list[TextLine]) -> list[tuple[float, float]]:
    """Extents (left, right) of the columns: groups of cells between which white space runs down the whole run."""
    columns: list[tuple[float, float]] = []
    for line in sorted(lines, key=lambda line: line.box.left):
        if columns and line.box.left < columns[-1][1] + _COLUMN_GAP * line.size:
            columns[-1] = (columns[-1][0], max(columns[-1][1], line.box.right))
        else:
            columns.append((line.box.left, line.box.right))
    return columns
