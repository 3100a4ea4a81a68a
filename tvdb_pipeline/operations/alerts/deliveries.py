"""Who sends what, and what was sent: tvdb.alert_deliveries.

Belongs here: claiming messages, and marking them. Does not: what is wrong (`store`), or sending (`channels`).

A watcher that claims a message has it to itself until it is marked as told, given back, or the claim lapses: so each alert is
sent once by each channel, whoever watches. Only a watcher that is killed between sending and marking leaves one that is
sent twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.operations.alerts.alarms import SEVERITIES
from tvdb_pipeline.operations.alerts.messages import MOST_LINES, Line, Message
from tvdb_pipeline.operations.alerts.store import TOLD_AFTER_SECONDS, locked

CLAIM_SECONDS = 60


def claim(conn: Connection, channel: str, since: datetime, repeat_seconds: float) -> Message | None:
    """The next message this channel owes, now the caller's for CLAIM_SECONDS; None where nothing is due.

    since: when the round began; what was tried after that is left for a later round. Alerts of one name are told together. What
    was never tried comes first, so that one a channel refuses stands in nobody's way.
    """
    with locked(conn):
        rows = conn.execute(
            """WITH due AS (
                   SELECT d.alert_id, a.name, d.claimed_at, a.since,
                          CASE WHEN a.resolved_at IS NULL OR a.mark IS NOT NULL THEN 'alert' ELSE 'recovery' END AS tidings
                   FROM tvdb.alert_deliveries d JOIN tvdb.alerts a ON a.id = d.alert_id
                   WHERE d.channel = %(channel)s AND NOT d.done
                       AND coalesce(a.resolved_at > clock_timestamp() - make_interval(secs => %(late)s), true)
                       AND coalesce(d.claimed_until <= clock_timestamp(), true) AND coalesce(d.claimed_at < %(since)s, true)
                       AND (a.resolved_at IS NOT NULL OR d.told_at IS NULL
                            OR d.told_at <= clock_timestamp() - make_interval(secs => %(repeat)s)
                            OR array_position(%(order)s::text[], a.severity)
                               > array_position(%(order)s::text[], d.told_severity))),
               first AS (SELECT name, tidings FROM due ORDER BY claimed_at NULLS FIRST, since, alert_id LIMIT 1),
               mine AS (SELECT due.alert_id, due.tidings FROM due JOIN first USING (name, tidings)
                        ORDER BY due.since, due.alert_id LIMIT %(most)s)
               UPDATE tvdb.alert_deliveries d SET claimed_at = clock_timestamp(),
                   claimed_until = clock_timestamp() + make_interval(secs => %(lease)s)
               FROM mine, tvdb.alerts a WHERE d.alert_id = mine.alert_id AND d.channel = %(channel)s AND a.id = d.alert_id
               RETURNING mine.tidings, a.id, a.name, a.subject, a.severity, a.summary, a.since, d.told_at IS NOT NULL,
                   a.resolved_at""",
            {
                "channel": channel, "since": since, "repeat": repeat_seconds, "order": list(SEVERITIES),
                "most": MOST_LINES, "lease": CLAIM_SECONDS, "late": TOLD_AFTER_SECONDS,
            },
        ).fetchall()  # fmt: skip
    if not rows:
        return None
    lines = sorted((_line(row[1:]) for row in rows), key=lambda line: (line.since, line.subject))
    return Message(rows[0][0], lines[0].name, lines)


def _line(row: Sequence[Any]) -> Line:
    number, name, subject, severity, summary, since, again, over = row
    ended = over.astimezone(UTC) if over is not None else None
    return Line(number, name, subject, severity, summary, since.astimezone(UTC), again, ended)


def told(conn: Connection, channel: str, message: Message) -> None:
    """The message is out."""
    with locked(conn):
        for line in message.lines:
            conn.execute(
                """UPDATE tvdb.alert_deliveries SET told_at = clock_timestamp(), claimed_until = NULL, done = %(done)s,
                       told_severity = CASE WHEN array_position(%(order)s::text[], told_severity)
                           > array_position(%(order)s::text[], %(severity)s) THEN told_severity ELSE %(severity)s END
                   WHERE alert_id = %(number)s AND channel = %(channel)s""",
                {
                    "done": line.over is not None, "order": list(SEVERITIES), "severity": line.severity,
                    "number": line.number, "channel": channel,
                },
            )  # fmt: skip
        conn.execute(
            "UPDATE tvdb.alerts SET sent_at = coalesce(sent_at, clock_timestamp()) WHERE id = ANY(%s)",
            ([line.number for line in message.lines],),
        )


def give_back(conn: Connection, channel: str, message: Message) -> None:
    """The message could not be sent: whoever comes next may try."""
    conn.execute(
        "UPDATE tvdb.alert_deliveries SET claimed_until = NULL WHERE channel = %s AND alert_id = ANY(%s)",
        (channel, [line.number for line in message.lines]),
    )
