"""White corridors between columns that stand closer than words may be apart.

Belongs here: finding them on a page. Does not: joining words to lines (`words`).

Amounts set flush right leave a gap hardly wider than a space before the next column: "$30 None". One such gap tells nothing, in
justified prose least of all; the same gap with both its edges at the same places in several rows is the border of two columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from tvdb_pipeline.parsing.lines import Box

_LEAST_GAP: Final = (
    0.6  # of a line height; with the space of common fonts and the room beside letters, words are 0.4 apart
)
_NEAR: Final = 1.2  # points between edges that are the same
_LEAST_ROWS: Final = 3
_STEP: Final = 3.2  # line heights from one row to the next


def find_corridors(rows: Sequence[Sequence[Box]]) -> list[Box]:
    """Thin vertical boxes, to be taken for rules: where at least three rows of words, one after the other, have the same gap.

    rows: the boxes of the words of each row, left to right. A row that reaches over the gap ends the corridor.
    """
    found: list[Box] = []
    open_ones: list[list[Box]] = []
    for words in sorted((words for words in rows if words), key=lambda words: words[0].top):
        gaps = _gaps(words)
        going_on: list[list[Box]] = []
        for corridor in open_ones:
            alike = next((gap for gap in gaps if _same(gap, corridor[-1])), None)
            if alike is not None:
                gaps.remove(alike)
                going_on.append([*corridor, alike])
            elif _aside(words, corridor[-1]):
                going_on.append(corridor)
            else:
                found += _ended(corridor)
        open_ones = [*going_on, *([gap] for gap in gaps)]
    for corridor in open_ones:
        found += _ended(corridor)
    return found


def _gaps(words: Sequence[Box]) -> list[Box]:
    height = max(word.bottom - word.top for word in words)
    return [
        Box(before.right, after.top, after.left, after.bottom)
        for before, after in pairwise(words)
        if after.left - before.right >= _LEAST_GAP * height
        and min(before.bottom, after.bottom) > max(before.top, after.top)
    ]


def _same(gap: Box, other: Box) -> bool:
    near = abs(gap.left - other.left) <= _NEAR and abs(gap.right - other.right) <= _NEAR
    return near and gap.top - other.top <= _STEP * (gap.bottom - gap.top)


def _aside(words: Sequence[Box], corridor: Box) -> bool:
    """Whether a row stands beside the corridor, as a row of another column of the page does."""
    close = words[0].top - corridor.top <= _STEP * (corridor.bottom - corridor.top)
    return close and (words[-1].right <= corridor.left + _NEAR or words[0].left >= corridor.right - _NEAR)


def _ended(corridor: Sequence[Box]) -> list[Box]:
    if len(corridor) < _LEAST_ROWS:
        return []
    middles = [((gap.left + gap.right) / 2, gap) for gap in corridor]
    return [Box(middle, gap.top, middle, gap.bottom) for middle, gap in middles]
