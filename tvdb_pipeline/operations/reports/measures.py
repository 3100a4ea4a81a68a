"""What targets look for in records: a count of what broke, a share of what was good, tests that failed.

Belongs here: functions that make such a look, for targets of more than one report. Does not: the targets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvdb_pipeline.operations.reports.records import at, number, ratio, rows_of

Reached = Callable[[Any], float | None]
SEARCHABLE = ("ready", "partial")
GONE = "deleted"


def figure(*path: str) -> Reached:
    """The number that stands under these keys."""
    return lambda figures: number(at(figures, *path))


def count(*path: str) -> Reached:
    """How long the list or mapping under these keys is."""

    def reached(figures: Any) -> float | None:
        found = at(figures, *path)
        return float(len(found)) if isinstance(found, list | dict) else None

    return reached


def times(one: tuple[str, ...], other: tuple[str, ...]) -> Reached:
    """One figure by another."""
    return lambda figures: ratio(number(at(figures, *one)), number(at(figures, *other)))


def percent(part: tuple[str, ...], whole: tuple[str, ...]) -> Reached:
    """One figure in per cent of another."""

    def reached(figures: Any) -> float | None:
        found = number(at(figures, *part))
        return None if found is None else ratio(100 * found, number(at(figures, *whole)))

    return reached


def apart(one: tuple[str, ...], other: tuple[str, ...]) -> Reached:
    """How far two figures are from each other."""

    def reached(figures: Any) -> float | None:
        first, second = number(at(figures, *one)), number(at(figures, *other))
        return None if first is None or second is None else abs(first - second)

    return reached


def searchable(figures: Any) -> float | None:
    """Of the documents counted under `states`, how many per cent are searchable; what was deleted on purpose is not counted."""
    states = at(figures, "states")
    if not isinstance(states, dict):
        return None
    counts = {state: number(value) or 0.0 for state, value in states.items() if state != GONE}
    return ratio(100 * sum(counts.get(state, 0.0) for state in SEARCHABLE), sum(counts.values()))


def failing(figures: Any) -> float | None:
    """How many per cent of them are not; not the rest of `searchable`, so that one in a hundred is 1 and not a little more."""
    states = at(figures, "states")
    if not isinstance(states, dict):
        return None
    counts = {state: number(value) or 0.0 for state, value in states.items() if state != GONE}
    return ratio(100 * sum(value for state, value in counts.items() if state not in SEARCHABLE), sum(counts.values()))


def passed(figures: Any) -> float | None:
    """Of the doctor's rows that are needed where it was asked, how many per cent passed."""
    rows = [row for row in rows_of(figures) if row.get("needed") is not False]
    return ratio(100.0 * sum(row.get("passed") is True for row in rows), float(len(rows)))


def not_asked(figures: Any) -> float | None:
    """How many of the doctor's questions did not arise where it was asked."""
    rows = rows_of(figures)
    return float(sum(row.get("needed") is False for row in rows)) if rows else None


def failed_tests(*parts: str) -> Reached:
    """Tests that failed, of the files whose path holds one of `parts`; None where there is no such file."""

    def reached(figures: Any) -> float | None:
        rows = [row for row in rows_of(figures) if any(part in str(row.get("file", "")) for part in parts)]
        return sum(number(row.get("failed")) or 0.0 for row in rows) if rows else None

    return reached


def most(key: str, rows: str = "rows") -> Reached:
    """The largest of a figure over rows."""

    def reached(figures: Any) -> float | None:
        known = [value for value in (number(row.get(key)) for row in rows_of(figures, rows)) if value is not None]
        return max(known, default=None)

    return reached


def drill_failed(figures: Any) -> float | None:
    """1 where the last restore drill did not pass, else 0."""
    found = at(figures, "passed")
    return None if found is None else float(found is not True)
