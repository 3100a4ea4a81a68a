"""When the work itself goes wrong: money, provider, documents, uploads.

Belongs here: a function a rule, over what was measured. Does not: the servers it runs on (`rules_of_servers`).
"""

from __future__ import annotations

from typing import Final

from tvdb_pipeline.operations.alerts.alarms import Alarm
from tvdb_pipeline.operations.alerts.facts import Facts, Level
from tvdb_pipeline.operations.alerts.thresholds import Firing, Levels, Thresholds, duration, severity_of

BUDGET_LEVELS: Final[Levels] = ((1.0, "critical"), (0.8, "warning"), (0.5, "info"))
LEAST_ENDS = 5
"""Documents that must have ended before the share of failures among them says anything."""


def budget_day(facts: Facts, _: Thresholds, firing: Firing) -> list[Alarm] | None:
    """The day's dollars at 50, 80 and 100 %; less than the largest passage costs is nothing left."""
    if (budget := facts.budget) is None:
        return None
    level = budget.dollars
    if level.limit > 0 and level.limit - level.used < budget.least_nano:
        level = Level(level.limit, level.limit)
    severity = severity_of(level.share, BUDGET_LEVELS, ("budget_day", "") in firing)
    said = (
        f"{level.share:.0%} of the day's dollars are spent or held: "
        f"${budget.dollars.used / 1e9:.4f} of ${budget.dollars.limit / 1e9:.2f}."
    )
    return [Alarm("budget_day", "", severity, said)] if severity else []


def budget_hour(facts: Facts, _: Thresholds, firing: Firing) -> list[Alarm] | None:
    """The rolling hour's requests at 50, 80 and 100 %."""
    if (budget := facts.budget) is None:
        return None
    level = budget.requests
    severity = severity_of(level.share, BUDGET_LEVELS, ("budget_hour", "") in firing)
    said = f"{level.share:.0%} of the hour's requests are used: {level.used:.0f} of {level.limit:.0f}."
    return [Alarm("budget_hour", "", severity, said)] if severity else []


def breaker_open(facts: Facts, _: Thresholds, __: Firing) -> list[Alarm] | None:
    """Open, or half open: then one process is trying."""
    if facts.breaker is None:
        return None
    if facts.breaker.state == "closed":
        return []
    said = (
        f"The provider is not asked for vectors: the breaker is open, last failure {facts.breaker.code or 'unknown'}."
    )
    return [Alarm("breaker_open", "", "critical", said)]


def document_failed(facts: Facts, _: Thresholds, __: Firing) -> list[Alarm] | None:
    """A document without attempts left, each by its key."""
    if (documents := facts.documents) is None:
        return None
    alarms = [
        Alarm(
            "document_failed", each.key, "warning", f"{each.key} failed {each.attempts} times, last with {each.code}."
        )
        for each in documents.failed
    ]
    if (more := documents.failed_count - len(documents.failed)) > 0:
        alarms.append(Alarm("document_failed", "", "critical", f"{more} more documents failed for good."))
    return alarms


def documents_waiting(facts: Facts, thresholds: Thresholds, _: Firing) -> list[Alarm] | None:
    """Documents unfinished for too long, by what they wait for."""
    if facts.documents is None:
        return None
    return [
        Alarm(
            "documents_waiting",
            each.code,
            "warning",
            f"{each.documents} documents have waited longer than {duration(thresholds.waiting_seconds)} ({each.code}); "
            f"{each.oldest} since {each.since:%Y-%m-%d %H:%M} UTC.",
        )
        for each in facts.documents.waiting
    ]


def ingest_stalled(facts: Facts, thresholds: Thresholds, _: Firing) -> list[Alarm] | None:
    """Files or documents could go on, and nothing happens to any document."""
    if facts.progress is None or facts.uploads is None or facts.uploads.error is not None:
        return None
    silent, files, due = facts.progress.silent_seconds, facts.uploads.waiting, facts.progress.due
    if not files + due or (silent is not None and silent < thresholds.waiting_seconds):
        return []
    since = "ever" if silent is None else f"for {duration(silent)}"
    said = f"Nothing was ingested {since}, although {files} files and {due} documents wait."
    return [Alarm("ingest_stalled", "", "critical", said)]


def uploads_unreadable(facts: Facts, _: Thresholds, __: Firing) -> list[Alarm] | None:
    """A folder that cannot be read is not an empty one: nothing is taken up or removed."""
    if facts.uploads is None:
        return None
    if facts.uploads.error is None:
        return []
    return [Alarm("uploads_unreadable", "", "critical", f"The upload folder cannot be read ({facts.uploads.error}).")]


def removals_withheld(facts: Facts, _: Thresholds, __: Firing) -> list[Alarm] | None:
    """So many files vanished at once that it looks like a lost mount."""
    if facts.uploads is None or facts.uploads.error is not None:
        return None
    if not facts.uploads.withheld:
        return []
    said = f"{facts.uploads.withheld} of {facts.uploads.known} files are gone from the upload folder at once; none was removed."
    return [Alarm("removals_withheld", "", "warning", said)]


def errors_many(facts: Facts, thresholds: Thresholds, firing: Firing) -> list[Alarm] | None:
    """Too large a share of the documents that ended lately failed, or was rejected."""
    if (ends := facts.ends) is None:
        return None
    alarms: list[Alarm] = []
    for kind, number in (("failed", ends.failed), ("rejected", ends.rejected)):
        share = number / ends.documents if ends.documents else 0.0
        enough = ends.documents >= LEAST_ENDS or ("errors_many", kind) in firing
        if enough and number and share >= thresholds.error_share:
            said = f"{number} of {ends.documents} documents were {kind} within {duration(thresholds.window_seconds)}."
            alarms.append(Alarm("errors_many", kind, "critical" if kind == "failed" else "warning", said))
    return alarms
