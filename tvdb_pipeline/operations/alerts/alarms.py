"""What there is to be told of: names, severities, and the way back.

Belongs here: the record of an alarm and the list of all kinds. Does not: when one is raised (`rules`). Imports nothing but the
standard library: Dagster's definitions name these types.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
"""From the least to the most severe."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something is wrong at this moment. subject: which of several (a document's key, a code, a part), '' where there is one.

    summary: one sentence of keys, counts and codes.
    """

    name: str
    subject: str
    severity: Severity
    summary: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Something went wrong once and is over by itself. mark: what tells it from all others of its name and subject."""

    alarm: Alarm
    mark: str
    at: datetime


WAYS_BACK: Final[dict[str, str]] = {
    "budget_day": "Nothing has to be done: the day's window opens again at its end, and documents wait until then. "
    "TVDB_DAILY_COST_LIMIT_USD raises it; tvdb budget shows it.",
    "budget_hour": "Nothing has to be done: slots free by themselves, and documents wait until then. "
    "TVDB_HOURLY_REQUEST_LIMIT raises it; tvdb budget shows it.",
    "breaker_open": "The provider is asked again by itself. If the code is auth, quota, wrong_model or wrong_dimension, "
    "correct the key, the account or the setting (docs/operations.md).",
    "document_failed": "tvdb status KEY says why. It is tried again when its file changes, or at once by tvdb ingest or a "
    "backfill in the UI.",
    "documents_waiting": "tvdb status says what each waits for and when it goes on; a limit, the provider, or a run.",
    "ingest_stalled": "See whether the daemon runs and upload_folder_sensor and recovery_sensor are on; "
    "tvdb ingest takes everything up without them.",
    "uploads_unreadable": "See whether TVDB_UPLOAD_DIR is mounted, or TVDB_UPLOAD_URL answers, and may be read; nothing is "
    "removed while it cannot be.",
    "removals_withheld": "Bring the files back, or confirm with tvdb ingest TVDB_UPLOAD_DIR --accept-removals.",
    "daemon_silent": "Start the Dagster daemon again; runs and documents go on where they were.",
    "part_died": "Nothing has to be done: its supervisor starts it again, with growing pauses. If it goes on dying, its log says "
    "why.",
    "part_silent": "Start it again: tvdb serve does so by itself; with systemd, look at its unit.",
    "errors_many": "tvdb status shows the codes; if all have one code, the cause is one.",
    "disk_short": "Free space or enlarge the disk: without any, the database stops.",
    "memory_short": "Lower TVDB_PARSE_WORKERS or TVDB_PARSE_MEMORY_MB, or give the machine more memory.",
    "connections_short": "Raise max_connections of PostgreSQL, or end clients that hold connections.",
    "database_unreachable": "Start PostgreSQL or mend the way to it. Nothing is sent to the provider meanwhile; runs fail, and "
    "their documents go on by themselves afterwards.",
    "run_failed": "tvdb status shows what became of its documents; what can go on does so by itself.",
    "check_failed": "tvdb status KEY shows what is missing of it.",
}
"""Of each kind of alarm, by its name: what to do, if anything."""
