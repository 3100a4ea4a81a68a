"""Ruled tables: cells between horizontal and vertical rules.

Belongs here: rules -> grids, lines -> cells. Does not: tables without rules.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tvdb_pipeline.parsing.lines import HYPHEN, Box, TextLine

_NEAR: Final = 3.0  # points: rules closer than this are one
_LEAST_ROWS: Final = 2
_LEAST_COLUMNS: Final = 2


@dataclass(slots=True)
class Grid:
    """A ruled region: the y of its row borders, the x of its column borders, and the vertical rules that part cells.

    A vertical rule parts only the rows it passes through: a row it does not reach has one wide cell there. parted: whether
    vertical rules part most rows; otherwise only lines are ruled, and the cells are told by their alignment.
    """

    rows: list[float]
    columns: list[float]
    walls: list[Box]
    parted: bool = True
    _known: dict[tuple[int, float], bool] = field(default_factory=dict[tuple[int, float], bool])
    _at: dict[float, list[Box]] = field(default_factory=dict[float, list[Box]])

    @property
    def box(self) -> Box:
        """The region."""
        return Box(self.columns[0], self.rows[0], self.columns[-1], self.rows[-1])

    def holds(self, line: TextLine) -> bool:
        """Whether the line's middle lies in the region."""
        x, y = (line.box.left + line.box.right) / 2, (line.box.top + line.box.bottom) / 2
        return (
            self.columns[0] - _NEAR <= x <= self.columns[-1] + _NEAR
            and self.rows[0] - _NEAR <= y <= self.rows[-1] + _NEAR
        )

    def cells(self, lines: Sequence[TextLine]) -> list[list[str]]:
        """The text of each cell, row by row; rows and columns without any text are left out."""
        cells: list[list[list[TextLine]]] = [[[] for _ in self.columns[1:]] for _ in self.rows[1:]]
        for line in lines:
            row = _slot(self.rows, (line.box.top + line.box.bottom) / 2)
            column = _slot(self.columns, min(line.box.left + 2.0, (line.box.left + line.box.right) / 2))
            while column and not self._parted(row, self.columns[column]):
                column -= 1
            cells[row][column].append(line)
        text = [[_cell_text(cell) for cell in row] for row in cells]
        used = [index for index in range(len(self.columns) - 1) if any(row[index] for row in text)]
        return [[row[index] for index in used] for row in text if any(row)]

    def mostly_parted(self, lines: Sequence[TextLine]) -> bool:
        """Whether vertical rules pass through at least half of the rows that hold more than one line side by side."""
        pieces: dict[int, set[int]] = {}
        for line in lines:
            row = _slot(self.rows, (line.box.top + line.box.bottom) / 2)
            pieces.setdefault(row, set()).add(_slot(self.columns, (line.box.left + line.box.right) / 2))
        wide = [row for row, columns in pieces.items() if len(columns) > 1]
        parted = [row for row in wide if any(self._parted(row, border) for border in self.columns[1:-1])]
        return len(parted) >= 0.5 * len(wide)

    def _parted(self, row: int, border: float) -> bool:
        # Asked again for every line of a row; a table of hundreds of rows has thousands of walls.
        known = self._known.get((row, border))
        if known is None:
            middle = (self.rows[row] + self.rows[row + 1]) / 2
            known = self._known[row, border] = any(
                wall.top - _NEAR <= middle <= wall.bottom + _NEAR for wall in self._walls_at(border)
            )
        return known

    def _walls_at(self, border: float) -> list[Box]:
        found = self._at.get(border)
        if found is None:
            found = self._at[border] = [wall for wall in self.walls if abs(wall.left - border) <= _NEAR]
        return found


def find_grids(rules: Sequence[Box], lines: Sequence[TextLine]) -> list[Grid]:
    """The ruled tables among the rules, top to bottom; a box with text in one cell only is not a table."""
    vertical = [rule for rule in rules if rule.bottom - rule.top > rule.right - rule.left]
    horizontal = [rule for rule in rules if rule.bottom - rule.top <= rule.right - rule.left]
    grids: list[Grid] = []
    for group in _connected([*vertical, *horizontal]):
        walls = [rule for rule in group if rule.bottom - rule.top > rule.right - rule.left]
        columns = _borders([wall.left for wall in walls])
        rows = _borders([rule.top for rule in group if rule.bottom - rule.top <= rule.right - rule.left])
        if len(rows) <= _LEAST_ROWS or len(columns) <= _LEAST_COLUMNS:
            continue
        grid = Grid(rows, columns, walls)
        held = [line for line in lines if grid.holds(line)]
        cells = grid.cells(held)
        grid.parted = grid.mostly_parted(held)
        if not grid.parted or (len(cells) >= _LEAST_ROWS and len(cells[0]) >= _LEAST_COLUMNS):
            grids.append(grid)
    return sorted(grids, key=lambda grid: grid.rows[0])


def _connected(rules: Sequence[Box]) -> list[list[Box]]:
    """Rules grouped by touching, directly or through others."""
    groups: list[tuple[Box, list[Box]]] = []
    for rule in sorted(rules, key=lambda rule: (rule.top, rule.left)):
        box, members = rule, [rule]
        apart: list[tuple[Box, list[Box]]] = []
        for other, others in groups:
            if _touch(box, other):
                box = Box(
                    min(box.left, other.left),
                    min(box.top, other.top),
                    max(box.right, other.right),
                    max(box.bottom, other.bottom),
                )
                members = others + members
            else:
                apart.append((other, others))
        groups = [*apart, (box, members)]
    return [members for _, members in groups]


def _touch(one: Box, other: Box) -> bool:
    return (
        one.left <= other.right + _NEAR
        and other.left <= one.right + _NEAR
        and one.top <= other.bottom + _NEAR
        and other.top <= one.bottom + _NEAR
    )


def _borders(positions: Sequence[float]) -> list[float]:
    borders: list[float] = []
    for position in sorted(positions):
        if not borders or position - borders[-1] > _NEAR:
            borders.append(position)
    return borders


def _slot(borders: Sequence[float], position: float) -> int:
    return bisect_right(borders, position, 1, len(borders) - 1) - 1


def _cell_text(lines: list[TextLine]) -> str:
    ordered = sorted(lines, key=lambda line: (round(line.box.top / 3), line.box.left))
    return " ".join(line.text for line in ordered).replace(f"{HYPHEN} ", "").replace(HYPHEN, "-")
