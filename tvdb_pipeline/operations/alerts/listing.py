"""Alerts as people and programs see them.

Belongs here: reading tvdb.alerts, in the shape `--json` prints. Does not: printing, or changing anything.
"""

from __future__ import annotations

from typing import Any

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.operations.alerts.alarms import WAYS_BACK


def alerts(database: Database, *, everything: bool = False, most: int = 1000) -> list[dict[str, Any]]:
    """What fires now, oldest first; with `everything` also what fired and happened: the newest `most`, newest first.

    One object an alert: `name`, `subject`, `severity`, `summary`, `way_back`, `firing`, and `since`, `last_seen`, `sent_at`,
    `resolved_at` (ISO 8601 or null).
    """
    rows = database.fetch(
        """SELECT name, subject, severity, summary, since, last_seen, sent_at, resolved_at FROM tvdb.alerts
           WHERE resolved_at IS NULL OR %(everything)s ORDER BY since DESC, id DESC LIMIT %(most)s""",
        {"everything": everything, "most": most if everything else None},
    )
    found = [
        {
            "name": name,
            "subject": subject,
            "severity": severity,
            "summary": summary,
            "way_back": WAYS_BACK.get(name, ""),
            "firing": times[3] is None,
            **dict(zip(_TIMES, (time.isoformat() if time is not None else None for time in times), strict=True)),
        }
        for name, subject, severity, summary, *times in rows
    ]
    return found if everything else found[::-1]


_TIMES = ("since", "last_seen", "sent_at", "resolved_at")
