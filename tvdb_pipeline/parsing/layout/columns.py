"""Reading order: a page cut recursively along its widest white gaps into columns and bands.

Belongs here: ordering lines. Does not: telling what the lines are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
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
    columns = _columns(_beside(lines, height), height)
    if columns:
        return [block for column in columns for block in _cut(column, height, depth + 1)]
    bands = _split([(line.box.top, line.box.bottom) for line in lines], lines, _BAND * height)
    merged = _merged(bands, height) if len(bands) > 1 else []
    if not any(_columns(_beside(band, height), height) for band in merged):
        return [_rows_in_order(lines)]
    return [block for band in merged for block in _cut(band, height, depth + 1)]


def _beside(lines: list[TextLine], height: float) -> list[list[TextLine]]:
    """The pieces that stand side by side, gutters between them."""
    return _split([(line.box.left, line.box.right) for line in lines], lines, _GUTTER * height)


def _columns(pieces: list[list[TextLine]], height: float) -> list[list[TextLine]]:
    """The pieces where they are columns of text, else none."""
    if len(pieces) < 2 or any(len(piece) < _LEAST_COLUMN for piece in pieces) or _is_grid(pieces, height):
        return []
    return pieces


def _is_grid(columns: list[list[TextLine]], height: float) -> bool:
    """Whether the columns are those of a table: short cells that share their baselines, to be read row by row."""
    first = columns[0]
    tops = sorted(line.box.top for line in first)
    for column in columns[1:]:
        shared = sum(1 for line in column if _least_distance(tops, line.box.top) < 0.3 * height)
        if shared >= 0.6 * len(column) and min(_usual_words(column), _usual_words(first)) <= 4:
            return True
    return False


def _least_distance(places: list[float], place: float) -> float:
    """From a place to the nearest of at least one, which are in order."""
    after = bisect_left(places, place)
    return min(abs(place - other) for other in places[max(0, after - 1) : after + 1])


def _usual_words(lines: list[TextLine]) -> float:
    return median(len(line.text.split()) for line in lines)


def _merged(bands: list[list[TextLine]], height: float) -> list[list[TextLine]]:
    """Neighbouring bands put together again as long as they form the same columns, so that a column is not cut in bands."""
    merged: list[list[TextLine]] = []
    pieces_before = 0
    for band in bands:
        pieces = len(_beside(band, height))
        if merged:
            together = [*merged[-1], *band]
            beside = _beside(together, height)
            if pieces == pieces_before == len(beside) or _columns(beside, height):
                merged[-1], pieces_before = together, len(beside)
                continue
        merged.append(list(band))
        pieces_before = pieces
    return merged


def _split(extents: list[tuple[float, float]], lines: list[TextLine], least: float) -> list[list[TextLine]]:
    """Groups of lines, in order, between which no line's extent reaches over a gap of at least `least` points."""
    groups: list[list[TextLine]] = []
    reach = float("-inf")
    for number in sorted(range(len(lines)), key=extents.__getitem__):
        start, end = extents[number]
        if groups and start - reach < least:
            groups[-1].append(lines[number])
        else:
            groups.append([lines[number]])
        if end > reach:
            reach = end
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
