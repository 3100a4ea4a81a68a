"""The alerts as one watcher remembers them while there is no database.

Belongs here: what began, ended and was told in the meantime, and writing it down afterwards. Does not: what happens with a
database (`store`, `deliveries`). What was firing before the outage is remembered, too, and not told again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.operations.alerts.alarms import SEVERITIES, Alarm, Severity
from tvdb_pipeline.operations.alerts.messages import MOST_LINES, Line, Message, Tidings
from tvdb_pipeline.operations.alerts.rules import Verdict
from tvdb_pipeline.operations.alerts.store import Change, locked


@dataclass(slots=True)
class _Told:
    """By one channel: when, and the worst that was told; over: that it ended."""

    at: datetime
    severity: Severity
    over: bool = False


@dataclass(slots=True)
class _Remembered:
    alarm: Alarm
    since: datetime
    over: datetime | None = None
    told: dict[str, _Told] = field(default_factory=dict[str, _Told])


class Memory:
    """Used by one watcher, in one thread."""

    def __init__(self) -> None:
        self._alerts: dict[tuple[str, str], _Remembered] = {}
        self._tried: set[tuple[str, str, str]] = set()
        self._outage = False

    def learn(self, conn: Connection) -> None:
        """Remember what fires now and who was told, in case the database goes."""
        rows = conn.execute(
            """SELECT a.name, a.subject, a.severity, a.summary, a.since, d.channel, d.told_at, d.told_severity
               FROM tvdb.alerts a LEFT JOIN tvdb.alert_deliveries d ON d.alert_id = a.id AND d.told_at IS NOT NULL
               WHERE a.resolved_at IS NULL"""
        )
        self._alerts = {}
        for name, subject, severity, summary, since, channel, told_at, told_severity in rows:
            alert = self._alerts.setdefault(
                (name, subject), _Remembered(Alarm(name, subject, severity, summary), since.astimezone(UTC))
            )
            if channel is not None:
                alert.told[channel] = _Told(told_at.astimezone(UTC), told_severity)

    def firing(self) -> set[tuple[str, str]]:
        """(name, subject) of what fires, as far as this watcher knows."""
        return {key for key, alert in self._alerts.items() if alert.over is None}

    def record(self, verdict: Verdict) -> list[Change]:
        """Take in what a round without a database found; what that changed."""
        now, changes = datetime.now(UTC), list[Change]()
        self._outage, self._tried = True, set()
        found = {(alarm.name, alarm.subject): alarm for alarm in verdict.alarms}
        for key, alarm in found.items():
            known = self._alerts.get(key)
            if known is None or known.over is not None:
                self._alerts[key] = _Remembered(alarm, now)
                changes.append(Change(False, alarm.name, alarm.subject, alarm.severity))
            else:
                known.alarm = alarm
        for (name, subject), known in self._alerts.items():
            judged = any(name == rule and subject.startswith(start) for rule, start in verdict.judged)
            if judged and known.over is None and (name, subject) not in found:
                known.over = now
                changes.append(Change(True, name, subject, known.alarm.severity))
        return changes

    def claim(self, channel: str, repeat_seconds: float) -> Message | None:
        """The next message this channel owes; None where nothing is due that was not tried in this round."""
        due: list[tuple[Tidings, tuple[str, str]]] = [
            (tidings, key)
            for key, alert in self._alerts.items()
            if (channel, *key) not in self._tried and (tidings := _due(alert, channel, repeat_seconds)) is not None
        ]
        if not due:
            return None
        first, (name, _) = due[0]
        keys = [key for tidings, key in due if tidings == first and key[0] == name][:MOST_LINES]
        self._tried.update((channel, *key) for key in keys)
        return Message(first, name, [self._line(key, channel) for key in keys])

    def told(self, channel: str, message: Message) -> None:
        """The message is out. Also of one that was claimed of the database; what is not remembered of it is passed over."""
        now = datetime.now(UTC)
        for line in message.lines:
            if (alert := self._alerts.get((line.name, line.subject))) is not None:
                before = alert.told.get(channel)
                worst = max(SEVERITIES.index(each) for each in (line.severity, before.severity if before else "info"))
                at = before.at if line.over is not None and before is not None else now
                alert.told[channel] = _Told(at, SEVERITIES[worst], over=line.over is not None)

    def write_down(self, conn: Connection) -> None:
        """The database is back: keep the story of the outage, and who was told what. Ends of alerts are found anew."""
        if not self._outage:
            return
        with locked(conn):
            for alert in self._alerts.values():
                number = _row(conn, alert)
                for channel, told in alert.told.items():
                    conn.execute(
                        """INSERT INTO tvdb.alert_deliveries AS d (alert_id, channel, told_at, told_severity, done)
                           VALUES (%s, %s, %s, %s, %s)
                           ON CONFLICT (alert_id, channel) DO UPDATE SET told_at = greatest(d.told_at, excluded.told_at),
                               told_severity = excluded.told_severity, done = d.done OR excluded.done""",
                        (number, channel, told.at, told.severity, told.over),
                    )
                if alert.told:
                    conn.execute(
                        "UPDATE tvdb.alerts SET sent_at = coalesce(sent_at, %s) WHERE id = %s",
                        (min(told.at for told in alert.told.values()), number),
                    )
        self._outage = False

    def _line(self, key: tuple[str, str], channel: str) -> Line:
        alert = self._alerts[key]
        alarm = alert.alarm
        again = channel in alert.told
        return Line(None, alarm.name, alarm.subject, alarm.severity, alarm.summary, alert.since, again, alert.over)


def _due(alert: _Remembered, channel: str, repeat_seconds: float) -> Tidings | None:
    told = alert.told.get(channel)
    if alert.over is not None:
        return None if told is not None and told.over else "recovery"
    if told is None or told.at <= datetime.now(UTC) - timedelta(seconds=repeat_seconds):
        return "alert"
    return "alert" if SEVERITIES.index(alert.alarm.severity) > SEVERITIES.index(told.severity) else None


def _row(conn: Connection, alert: _Remembered) -> int:
    """The row of an alert: the one that was there when it fired (another watcher may have written it), else a new one."""
    alarm = alert.alarm
    found = conn.execute(
        """SELECT id FROM tvdb.alerts WHERE name = %s AND subject = %s AND mark IS NULL
               AND (resolved_at IS NULL OR resolved_at >= %s) ORDER BY since DESC LIMIT 1""",
        (alarm.name, alarm.subject, alert.since),
    ).fetchone()
    if found is None:
        found = conn.execute(
            """INSERT INTO tvdb.alerts (name, subject, severity, summary, since, last_seen, resolved_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            (alarm.name, alarm.subject, alarm.severity, alarm.summary, alert.since, alert.since, alert.over),
        ).fetchone()
    elif alert.over is not None:
        conn.execute(
            "UPDATE tvdb.alerts SET resolved_at = %s WHERE id = %s AND resolved_at IS NULL", (alert.over, found[0])
        )
    assert found is not None
    return found[0]
