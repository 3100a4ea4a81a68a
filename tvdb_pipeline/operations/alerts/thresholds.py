"""What rules share: the figures they compare with, and words for durations.

Belongs here: thresholds from the settings, and levels. Does not: rules.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tvdb_pipeline.operations.alerts.alarms import Alarm, Severity
from tvdb_pipeline.operations.alerts.facts import Facts

RELEASE = 0.05
"""What fires goes on until it is so far below its level: a figure that moves about the level is told of once."""
Firing = Collection[tuple[str, str]]
"""(name, subject) of what fires already."""
Levels = Sequence[tuple[float, Severity]]
"""Shares with their severities, from the highest to the lowest."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """TVDB_ALERT_WAITING_SECONDS, TVDB_ALERT_WINDOW_SECONDS and TVDB_ALERT_ERROR_SHARE; grace: how long a part may be silent."""

    waiting_seconds: float
    window_seconds: float
    error_share: float
    grace_seconds: float = 0.0


Rule = Callable[[Facts, Thresholds, Firing], list[Alarm] | None]
"""None where the facts are missing: then what fires goes on firing, and nothing new does."""


def severity_of(share: float, levels: Levels, fires: bool) -> Severity | None:
    """The severity of the highest level reached; None below all of them."""
    for level, severity in levels:
        if share >= level:
            return severity
    lowest, severity = levels[-1]
    return severity if fires and share >= lowest - RELEASE else None


def duration(seconds: float) -> str:
    """`90 minutes`, `3 days`: in the largest unit of which there are two."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
