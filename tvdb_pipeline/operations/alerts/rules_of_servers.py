"""When what the work runs on goes wrong: database, daemon, servers, disks, memory.

Belongs here: a function a rule, over what was measured. Does not: the work (`rules_of_work`).
"""

from __future__ import annotations

from typing import Final

from tvdb_pipeline.operations.alerts.alarms import Alarm, Severity
from tvdb_pipeline.operations.alerts.facts import Facts
from tvdb_pipeline.operations.alerts.thresholds import RELEASE, Firing, Levels, Thresholds, duration, severity_of

CONNECTION_LEVELS: Final[Levels] = ((0.95, "critical"), (0.8, "warning"))
MEMORY_LEVELS: Final[Levels] = ((0.97, "critical"), (0.92, "warning"))
DISK_FREE: Final[tuple[tuple[int, Severity], ...]] = ((1 << 30, "critical"), (4 << 30, "warning"))
"""Bytes left."""
DAEMON_SILENT_SECONDS = 180.0
"""Six beats: Dagster's daemons beat every 30 seconds, later while they are busy."""


def database_unreachable(facts: Facts, _: Thresholds, __: Firing) -> list[Alarm]:
    """It gave no connection, or broke off."""
    if not facts.unreachable:
        return []
    return [
        Alarm(
            "database_unreachable",
            "",
            "critical",
            f"PostgreSQL does not answer, or not as it should ({facts.unreachable}).",
        )
    ]


def daemon_silent(facts: Facts, thresholds: Thresholds, _: Firing) -> list[Alarm] | None:
    """One of Dagster's daemons has not beaten for a while."""
    if facts.heartbeats is None:
        return None
    late = {name: age for name, age in facts.heartbeats.items() if age > DAEMON_SILENT_SECONDS}
    if not late:
        return []
    longest = max(late.values())
    since = f"no daemon has ever beaten ({', '.join(late)})" if longest == float("inf") else (
        f"last beat {duration(longest)} ago ({', '.join(sorted(late))})"
    )  # fmt: skip
    return [Alarm("daemon_silent", "", "critical", f"Dagster's daemon does not beat: {since}.")]


def part_silent(facts: Facts, thresholds: Thresholds, _: Firing) -> list[Alarm] | None:
    """A server that was to answer on this machine does not."""
    if facts.silent is None:
        return None
    return [
        Alarm(
            "part_silent", f"{facts.host}:{part}", "critical", f"The {part} on {facts.host} does not take connections."
        )
        for part, seconds in facts.silent.items()
        if seconds >= thresholds.grace_seconds
    ]


def part_died(facts: Facts, _: Thresholds, __: Firing) -> list[Alarm] | None:
    """A part died under its supervisor, which starts it again."""
    if facts.deaths is None:
        return None
    return [
        Alarm(
            "part_died",
            f"{facts.host}:{death.part}",
            "critical",
            f"The {death.part} on {facts.host} {death.how} (death {death.number} since its supervisor began).",
        )
        for death in facts.deaths
    ]


def disk_short(facts: Facts, _: Thresholds, firing: Firing) -> list[Alarm] | None:
    """A disk of ours is nearly full."""
    if facts.disks is None:
        return None
    alarms: list[Alarm] = []
    for place, level in facts.disks.items():
        subject, free = f"{facts.host}:{place}", level.limit - level.used
        room = 1 + RELEASE if ("disk_short", subject) in firing else 1
        severity: Severity | None = next((severity for least, severity in DISK_FREE if free < least * room), None)
        if severity:
            said = f"{free / (1 << 30):.1f} GiB are free on the disk of {place} on {facts.host}."
            alarms.append(Alarm("disk_short", subject, severity, said))
    return alarms


def memory_short(facts: Facts, _: Thresholds, firing: Firing) -> list[Alarm] | None:
    """This machine, or its container, is nearly out of memory."""
    if facts.memory is None:
        return None
    subject = f"{facts.host}:"
    severity = severity_of(facts.memory.share, MEMORY_LEVELS, ("memory_short", subject) in firing)
    said = f"{facts.memory.share:.0%} of the memory of {facts.host} are in use."
    return [Alarm("memory_short", subject, severity, said)] if severity else []


def connections_short(facts: Facts, _: Thresholds, firing: Firing) -> list[Alarm] | None:
    """PostgreSQL is nearly out of connections."""
    if (level := facts.connections) is None:
        return None
    severity = severity_of(level.share, CONNECTION_LEVELS, ("connections_short", "") in firing)
    said = f"{level.used:.0f} of PostgreSQL's {level.limit:.0f} connections are in use."
    return [Alarm("connections_short", "", severity, said)] if severity else []
