"""What people read.

Belongs here: the record of a message and its words. Does not: sending it (`channels`), or when (`store`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tvdb_pipeline.operations.alerts.alarms import SEVERITIES, WAYS_BACK, Happening, Severity

Tidings = Literal["alert", "recovery"]
MOST_LINES = 50
"""Of one message; what is more comes in the next."""


@dataclass(frozen=True, slots=True)
class Line:
    """One alert in a message. number: its row, None where there is none; again: told before; over: when it ended."""

    number: int | None
    name: str
    subject: str
    severity: Severity
    summary: str
    since: datetime
    again: bool = False
    over: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Alerts of one name, told together."""

    tidings: Tidings
    name: str
    lines: Sequence[Line]

    @property
    def severity(self) -> Severity:
        """The worst of its lines."""
        return SEVERITIES[max(SEVERITIES.index(line.severity) for line in self.lines)]


def headline(message: Message, env: str) -> str:
    """`[tvdb production] CRITICAL breaker_open`, or `... OVER breaker_open`, with their number where they are several."""
    number = f" ({len(message.lines)})" if len(message.lines) > 1 else ""
    said = message.severity.upper() if message.tidings == "alert" else "OVER"
    return f"[tvdb {env}] {said} {message.name}{number}"


def text(message: Message, env: str) -> str:
    """The whole message: headline, a line an alert, and the way back."""
    lines = [headline(message, env), *(_line(message.tidings, line) for line in message.lines)]
    if message.tidings == "alert" and message.name in WAYS_BACK:
        lines.append(f"What to do: {WAYS_BACK[message.name]}")
    return "\n".join(lines)


def unkept(happenings: Sequence[Happening]) -> list[Message]:
    """Messages of what happened and stands in no table, a name each."""
    by_name: dict[str, list[Line]] = {}
    for each in happenings:
        alarm = each.alarm
        line = Line(None, alarm.name, alarm.subject, alarm.severity, alarm.summary, each.at, over=each.at)
        by_name.setdefault(alarm.name, []).append(line)
    return [Message("alert", name, lines) for name, lines in by_name.items()]


def _line(tidings: Tidings, line: Line) -> str:
    since = f"{line.since:%Y-%m-%d %H:%M} UTC"
    if tidings == "recovery" and line.over is not None:
        return f"It was: {line.summary} From {since} to {line.over:%Y-%m-%d %H:%M} UTC."
    if line.over is not None:
        return f"{line.summary} At {since}."
    return f"{'Still: ' if line.again else ''}{line.summary} Since {since}."
