"""Reading order: a page cut recursively along its widest white gaps into columns and bands.

Belongs here: ordering lines. Does not: telling what the lines are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from tvdb_pipeline.parsing.lines import TextLine

_GUTTER: Final = 0.9  # a column gap is at least this many line heights wide
_BAND: Final = 0.25  # a gap between bands at least this many line heights high
_LEAST_COLUMN: Final = 3  # lines on each side of a gutter
_MAX_DEPTH: Final = 30


def blocks_in_order(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """The lines in blocks, both in reading order; within a block, lines of one baseline stand left to right."""
    if not lines:
        return []
    height = median(line.box.bottom - line.box.top for line in lines)
    return _cut(list(lines), max(height, 1.0), 0)


def _cut(lines: list[TextLine], height: float, depth: int) -> list[list[TextLine]]:
    if len(lines) < 2 or depth >= _MAX_DEPTH:
        return [_rows_in_order(lines)]
    columns = _columns(lines, height)
    if columns:
        return [block for column in columns for block in _cut(column, height, depth + 1)]
    bands = _split(lines, lambda line: (line.box.top, line.box.bottom), _BAND * height)
    if len(bands) < 2 or not any(_columns(band, height) for band in _merged(bands, height)):
        return [_rows_in_order(lines)]
    return [block for band in _merged(bands, height) for block in _cut(band, height, depth + 1)]


def _columns(lines: list[TextLine], height: float) -> list[list[TextLine]]:
    if len(lines) < 2 * _LEAST_COLUMN:
        return []
    columns = _split(lines, lambda line: (line.box.left, line.box.right), _GUTTER * height)
    if len(columns) < 2 or any(len(column) < _LEAST_COLUMN for column in columns) or _is_grid(columns, height):
        return []
    return columns


def _is_grid(columns: list[list[TextLine]], height: float) -> bool:
    """Whether the columns are those of a table: short cells that share their baselines, to be read row by row."""
    first = columns[0]
    tops = sorted(line.box.top for line in first)
    for column in columns[1:]:
        shared = sum(1 for line in column if any(abs(line.box.top - top) < 0.3 * height for top in tops))
        words = median(len(line.text.split()) for line in column)
        if shared >= 0.6 * len(column) and min(words, median(len(line.text.split()) for line in first)) <= 4:
            return True
    return False


def _merged(bands: list[list[TextLine]], height: float) -> list[list[TextLine]]:
    """Neighbouring bands put together again as long as they form the same columns, so that a column is not cut in bands."""
    merged: list[list[TextLine]] = []
    for band in bands:
        if merged and (
            _columns(merged[-1] + band, height)
            or _spread(band, height) == _spread(merged[-1], height) == _spread(merged[-1] + band, height)
        ):
            merged[-1] = merged[-1] + band
        else:
            merged.append(list(band))
    return merged


def _spread(band: list[TextLine], height: float) -> int:
    """How many pieces stand side by side, gutters between them."""
    return len(_split(band, lambda line: (line.box.left, line.box.right), _GUTTER * height))


def _split(
    lines: Sequence[TextLine], extent: Callable[[TextLine], tuple[float, float]], least: float
) -> list[list[TextLine]]:
    """Groups of lines, in order, between which no line's extent reaches over a gap of at least `least` points."""
    groups: list[list[TextLine]] = []
    reach = float("-inf")
    for line in sorted(lines, key=lambda line: extent(line)):
        start, end = extent(line)
        if groups and start - reach < least:
            groups[-1].append(line)
        else:
            groups.append([line])
        reach = max(reach, end)
    return groups


def _rows_in_order(lines: list[TextLine]) -> list[TextLine]:
    ordered: list[TextLine] = []
    row: list[TextLine] = []
    for line in sorted(lines, key=lambda line: (line.box.top + line.box.bottom) / 2):
        middle = (line.box.top + line.box.bottom) / 2
        if row and middle > max(other.box.bottom for other in row) - 0.4 * (row[0].box.bottom - row[0].box.top):
            ordered.extend(sorted(row, key=lambda line: line.box.left))
            row = []
        row.append(line)
    return ordered + sorted(row, key=lambda line: line.box.left)
