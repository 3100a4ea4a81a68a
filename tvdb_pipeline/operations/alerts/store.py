"""The alerts as PostgreSQL keeps them, for all watchers together.

Belongs here: what began, ended and happened. Does not: judging (`rules`), or who is told of it (`deliveries`). Every change is
one transaction under one lock, so that watchers that find the same at the same time keep it once.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.operations.alerts.alarms import Alarm, Happening
from tvdb_pipeline.operations.alerts.rules import Verdict

TOLD_AFTER_SECONDS = 86_400
"""What ended longer ago is kept, but nobody is told any more."""
UNWATCHED_SECONDS = 86_400
"""What no watcher has confirmed for so long (its machine is gone) is closed without a word."""
_LOCK = 0x74766161  # "tvaa"


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that began or ended in this round."""

    ended: bool
    name: str
    subject: str
    severity: str


@contextmanager
def locked(conn: Connection) -> Generator[None]:
    """A transaction that no other watcher's overlaps."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        yield


def firing(conn: Connection) -> set[tuple[str, str]]:
    """(name, subject) of what fires."""
    return set(conn.execute("SELECT name, subject FROM tvdb.alerts WHERE resolved_at IS NULL").fetchall())  # pyright: ignore[reportReturnType]


def record(conn: Connection, verdict: Verdict, measured: datetime, channels: Collection[str]) -> list[Change]:
    """Keep what a round found; what that changed.

    measured: when measuring began. What another watcher found later than that is not undone: an alarm it saw end does not begin
    again, and one it saw does not end.
    """
    with locked(conn):
        begun = _begin(conn, verdict.alarms, measured)
        ended = _end(conn, verdict, measured)
        conn.execute(
            """INSERT INTO tvdb.alert_deliveries (alert_id, channel)
               SELECT a.id, c FROM tvdb.alerts a, unnest(%s::text[]) c WHERE a.resolved_at IS NULL ON CONFLICT DO NOTHING""",
            (list(channels),),
        )
        _tidy(conn)
    return [*begun, *ended]


def _begin(conn: Connection, alarms: Sequence[Alarm], measured: datetime) -> list[Change]:
    rows = conn.execute(
        """INSERT INTO tvdb.alerts AS a (name, subject, severity, summary)
           SELECT g.name, g.subject, g.severity, g.summary
           FROM unnest(%(names)s::text[], %(subjects)s::text[], %(severities)s::text[], %(summaries)s::text[])
               AS g (name, subject, severity, summary)
           WHERE NOT EXISTS (SELECT FROM tvdb.alerts l WHERE l.name = g.name AND l.subject = g.subject AND l.mark IS NULL
                                 AND l.resolved_at > %(measured)s)
           ON CONFLICT (name, subject) WHERE resolved_at IS NULL DO UPDATE SET severity = excluded.severity,
               summary = excluded.summary, last_seen = clock_timestamp()
           RETURNING name, subject, severity, xmax = 0""",
        {
            "names": [alarm.name for alarm in alarms],
            "subjects": [alarm.subject for alarm in alarms],
            "severities": [alarm.severity for alarm in alarms],
            "summaries": [alarm.summary for alarm in alarms],
            "measured": measured,
        },
    ).fetchall()
    return [Change(False, name, subject, severity) for name, subject, severity, new in rows if new]


def _end(conn: Connection, verdict: Verdict, measured: datetime) -> list[Change]:
    rows = conn.execute(
        """UPDATE tvdb.alerts a SET resolved_at = clock_timestamp()
           FROM unnest(%(names)s::text[], %(starts)s::text[]) AS judged (name, start)
           WHERE a.resolved_at IS NULL AND a.last_seen <= %(measured)s AND a.name = judged.name
               AND starts_with(a.subject, judged.start)
               AND NOT EXISTS (SELECT FROM unnest(%(alarms)s::text[], %(subjects)s::text[]) AS g (name, subject)
                               WHERE g.name = a.name AND g.subject = a.subject)
           RETURNING a.name, a.subject, a.severity""",
        {
            "names": [name for name, _ in verdict.judged],
            "starts": [start for _, start in verdict.judged],
            "alarms": [alarm.name for alarm in verdict.alarms],
            "subjects": [alarm.subject for alarm in verdict.alarms],
            "measured": measured,
        },
    ).fetchall()
    return [Change(True, *row) for row in rows]


def _tidy(conn: Connection) -> None:
    conn.execute(
        """WITH closed AS (UPDATE tvdb.alerts SET resolved_at = clock_timestamp()
                           WHERE resolved_at IS NULL AND last_seen < now() - make_interval(secs => %s) RETURNING id)
           UPDATE tvdb.alert_deliveries SET done = true WHERE alert_id IN (SELECT id FROM closed)""",
        (UNWATCHED_SECONDS,),
    )
    conn.execute(
        """UPDATE tvdb.alert_deliveries d SET done = true FROM tvdb.alerts a
           WHERE a.id = d.alert_id AND NOT d.done AND a.resolved_at < now() - make_interval(secs => %s)""",
        (TOLD_AFTER_SECONDS,),
    )


def happened(conn: Connection, happenings: Sequence[Happening], channels: Collection[str]) -> int:
    """Keep what happened, each once however often it is reported; how many were new."""
    new = 0
    with locked(conn):
        for each in happenings:
            row = conn.execute(
                """INSERT INTO tvdb.alerts (name, subject, severity, summary, mark, since, last_seen, resolved_at)
                   VALUES (%(name)s, %(subject)s, %(severity)s, %(summary)s, %(mark)s, %(at)s, %(at)s, %(at)s)
                   ON CONFLICT (name, subject, mark) WHERE mark IS NOT NULL DO NOTHING RETURNING id""",
                {
                    "name": each.alarm.name, "subject": each.alarm.subject, "severity": each.alarm.severity,
                    "summary": each.alarm.summary, "mark": each.mark, "at": each.at,
                },
            ).fetchone()  # fmt: skip
            if row is not None:
                new += 1
                conn.execute(
                    "INSERT INTO tvdb.alert_deliveries (alert_id, channel) SELECT %s, unnest(%s::text[])",
                    (row[0], list(channels)),
                )
    return new
