"""The report on production readiness: the doctor's rows, and what was proved of serving, alerting, restoring and upgrading.

Belongs here: its targets and sections. Does not: the doctor (`operations.readiness`), or keeping its record (`checking`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tvdb_pipeline.operations.reports.composing import Report, Section
from tvdb_pipeline.operations.reports.judging import Target
from tvdb_pipeline.operations.reports.measures import (
    count,
    drill_failed,
    failed_tests,
    figure,
    not_asked,
    passed,
    percent,
)
from tvdb_pipeline.operations.reports.records import rows_of
from tvdb_pipeline.operations.reports.tables import table, tables

# fmt: off
CHECKLIST = Target("checklist", "rows of `tvdb doctor` that passed", "at least", 100, "%", "doctor", passed,
                   "The rows say what is missing and what to do.")
UNASKED = Target("checklist, whole", "rows that did not arise in the environment it was asked in", "at most", 0, "rows", "doctor",
                 not_asked, "Run `tvdb report --check` with `TVDB_ENV=production` on the machine that will serve.")
TARGETS: Sequence[Target] = (
    CHECKLIST,
    UNASKED,
    Target("deployment", "promises broken by a whole deployment whose parts were killed", "at most", 0, "promises", "chaos",
           count("broken")),
    Target("deployment, tests", "failed tests of serving and of the deployment's files", "at most", 0, "tests", "suite",
           failed_tests("serving", "serve", "deploy", "supervis")),
    Target("monitoring", "failed tests of metrics and health", "at most", 0, "tests", "suite",
           failed_tests("metrics", "health", "monitoring")),
    Target("alerting", "outages of a part that were told", "at least", 100, "%", "chaos", lambda figures: _told(figures)),
    Target("alerting, ends", "of those told, the ones whose end was told", "at least", 100, "%", "chaos",
           percent(("ends_told",), ("outages_told",))),
    Target("alerting, tests", "failed tests of alerts", "at most", 0, "tests", "suite", failed_tests("alert")),
    Target("backups", "failed tests of backup and restore", "at most", 0, "tests", "suite", failed_tests("backup", "restore")),
    Target("restore drill", "the last one, whether it failed", "at most", 0, "failed", "drill", drill_failed),
    Target("upgrade", "failed tests of migrations", "at most", 0, "tests", "suite", failed_tests("migrations", "upgrade")),
    Target("steady memory", "growth of a daemon's memory", "at most", 10, "MB an hour", "soak", figure("own_mb_an_hour")),
)
# fmt: on


def _told(figures: Any) -> float | None:
    """Of the kills that must be told (a worker's run may have ended just before), how many per cent were."""
    kills, told = (figures or {}).get("kills"), (figures or {}).get("outages_told")
    if not isinstance(kills, dict) or told is None:
        return None
    counted = sum(number for part, number in kills.items() if part != "run-worker")
    return 100 * told / counted if counted else None


def _verdict(row: dict[str, Any]) -> str:
    if row.get("needed") is False:
        return "not needed"
    return "passed" if row.get("passed") is True else "failed"


def _doctor(figures: Any) -> Iterator[str]:
    """Row by row, as `tvdb doctor` prints them."""
    yield f"Asked in the environment `{(figures or {}).get('environment', 'unknown')}` (`TVDB_ENV`)."
    yield table(
        [
            {
                "area": row.get("area"),
                "what": row.get("name"),
                "verdict": _verdict(row),
                "evidence": row.get("evidence"),
            }
            for row in rows_of(figures)
        ]
    )


REPORT = Report(
    "production-readiness",
    "Production readiness",
    "Whether this can serve: the checklist row by row, and what was proved of deployment, monitoring, alerting, backups and "
    "upgrades.",
    {"What was proved": TARGETS},
    (
        Section("The checklist", "doctor", _doctor),
        Section("Restore drill", "drill", tables),
        Section("Redaction", "redaction", tables),
    ),
    standing=(
        "The embedded PostgreSQL trusts the users of the machine: in production set `TVDB_DATABASE_URL` to a server of yours.",
        "Run `tvdb report --check` on the machine and with the settings that will serve: the checklist is of where it ran.",
        "Repeat the restore drill before the age that `TVDB_DRILL_MAX_AGE_DAYS` allows.",
    ),
)
