"""When something is wrong: facts -> alarms.

Belongs here: the list of all rules, and going through it. Does not: the rules (`rules_of_work`, `rules_of_servers`), measuring,
or remembering what fired before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tvdb_pipeline.operations.alerts import rules_of_servers as servers
from tvdb_pipeline.operations.alerts import rules_of_work as work
from tvdb_pipeline.operations.alerts.alarms import Alarm
from tvdb_pipeline.operations.alerts.facts import Facts
from tvdb_pipeline.operations.alerts.thresholds import Firing, Rule, Thresholds

_MACHINE = frozenset({"disk_short", "memory_short", "part_silent", "part_died"})
"""Rules about the watcher's own machine: of another one they say nothing."""
RULES: Final[Mapping[str, Rule]] = {
    "database_unreachable": servers.database_unreachable,
    "budget_day": work.budget_day,
    "budget_hour": work.budget_hour,
    "breaker_open": work.breaker_open,
    "document_failed": work.document_failed,
    "documents_waiting": work.documents_waiting,
    "ingest_stalled": work.ingest_stalled,
    "uploads_unreadable": work.uploads_unreadable,
    "removals_withheld": work.removals_withheld,
    "daemon_silent": servers.daemon_silent,
    "part_silent": servers.part_silent,
    "part_died": servers.part_died,
    "errors_many": work.errors_many,
    "disk_short": servers.disk_short,
    "memory_short": servers.memory_short,
    "connections_short": servers.connections_short,
}
"""By the name of the alarms each raises."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """alarms: what is wrong; judged: each rule that came to a conclusion, with the start of the subjects it concluded about."""

    alarms: list[Alarm]
    judged: list[tuple[str, str]]


def judge(facts: Facts, thresholds: Thresholds, firing: Firing) -> Verdict:
    """Go through all rules."""
    alarms: list[Alarm] = []
    judged: list[tuple[str, str]] = []
    for name, rule in RULES.items():
        found = rule(facts, thresholds, firing)
        if found is not None:
            alarms += found
            judged.append((name, f"{facts.host}:" if name in _MACHINE else ""))
    return Verdict(alarms, judged)
