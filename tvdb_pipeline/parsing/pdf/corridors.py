"""White corridors between columns that stand closer than words may be apart.

Belongs here: finding them on a page. Does not: joining words to lines (`words`).

Amounts set flush right leave a gap hardly wider than a space before the next column: "$30 None". One such gap tells nothing, in
justified prose least of all; the same gap with both its edges at the same places in several rows is the border of two columns.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from tvdb_pipeline.parsing.lines import Box

_LEAST_GAP: Final = 0.45  # of a line height; the space of common fonts is 0.2 to 0.3
_NEAR: Final = 1.2  # points between edges that are the same
_LEAST_ROWS: Final = 3
_REACH: Final = 8.0  # line heights to the next row with the same gap


def find_corridors(rows: Sequence[Sequence[Box]]) -> list[Box]:
    """Thin vertical boxes, to be taken for rules: where at least three rows of words near each other have the same gap."""
    places: dict[int, list[Box]] = defaultdict(list)
    for words in rows:
        for before, after in itertools.pairwise(words):
            gap, height = after.left - before.right, after.bottom - after.top
            if gap >= _LEAST_GAP * height and min(before.bottom, after.bottom) > max(before.top, after.top):
                places[round(after.left / (4 * _NEAR))].append(Box(before.right, after.top, after.left, after.bottom))
    found: list[Box] = []
    for place, gaps in places.items():
        # A gap near the edge of one place may have its like in the next.
        near = [*gaps, *places.get(place + 1, [])]
        for gap in gaps:
            alike = [
                other for other in near if abs(other.left - gap.left) <= _NEAR and abs(other.right - gap.right) <= _NEAR
            ]
            reach = _REACH * (gap.bottom - gap.top)
            close = [other for other in alike if abs(other.top - gap.top) <= reach]
            if len(close) >= _LEAST_ROWS:
                middle = (gap.left + gap.right) / 2
                found.append(Box(middle, gap.top, middle, gap.bottom))
    return found
