"""One round of watching: measure, judge, keep, tell.

Belongs here: the order of these, with a database and without. Does not: when rounds are made (`watching`, Dagster's sensors).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Unpack

import psycopg

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.alerts import deliveries, machine, measuring, store
from tvdb_pipeline.operations.alerts.alarms import Happening
from tvdb_pipeline.operations.alerts.channels import Channel, NotSent, channels
from tvdb_pipeline.operations.alerts.facts import Facts
from tvdb_pipeline.operations.alerts.machine import Dying, Part, Parts
from tvdb_pipeline.operations.alerts.memory import Memory
from tvdb_pipeline.operations.alerts.messages import Message, headline, text, unkept
from tvdb_pipeline.operations.alerts.rules import Thresholds, judge
from tvdb_pipeline.operations.alerts.store import Change
from tvdb_pipeline.operations.alerts.uploads import uploads
from tvdb_pipeline.privacy.logs import Fields
from tvdb_pipeline.settings import Settings

SENDING_SECONDS = 30.0
"""How long a round goes on taking up messages; what is left is sent in the next."""
_OUTAGE = (psycopg.Error, TvdbError)
"""A database that answers, but not as it should, leaves the watcher blind all the same."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to: how many alerts fire, how many messages were sent and not sent; outage: without the database."""

    firing: int
    sent: int
    unsent: int
    outage: bool = False


class Note(Protocol):
    """Takes down what a watcher did: a sentence for people, and the same for journals (see `privacy.logs`)."""

    def __call__(self, sentence: str, event: str, **fields: Unpack[Fields]) -> None: ...


def silence(sentence: str, event: str, **fields: Unpack[Fields]) -> None:
    """Who wants no log."""


class Watcher:
    """Makes rounds, in one thread.

    expected: servers that are to answer on this machine; grace: how many seconds they, and the daemon after the watcher began,
    may be silent first; note: told of each message, sent or not, and for each change where there is no channel.
    """

    def __init__(
        self,
        settings: Settings,
        expected: Collection[Part] = (),
        *,
        grace: float = 0.0,
        note: Note = silence,
    ) -> None:
        self._settings, self._expected, self._note = settings, expected, note
        self._thresholds = Thresholds(
            settings.alert_waiting_seconds, settings.alert_window_seconds, settings.alert_error_share, grace
        )
        self._channels: Sequence[Channel] = channels(settings)
        self._parts, self._memory, self._began = Parts(settings, expected), Memory(), time.monotonic()
        self._dying = Dying(settings.home)
        self._unmarked: list[tuple[str, Message]] = []

    @property
    def tells(self) -> bool:
        """Whether there is anybody to be told."""
        return bool(self._channels)

    def round(self) -> Round:
        """One round, with the database or without."""
        try:
            return self.look()
        except _OUTAGE as error:
            return self._without_database(error.code if isinstance(error, TvdbError) else type(error).__name__)

    def look(self) -> Round:
        """One round with the database, by one who cannot remember anything without. Raises psycopg.Error, TvdbError."""
        with measuring.connected(self._settings) as conn:
            self._catch_up(conn)
            began = measuring.clock(conn)
            verdict = judge(self._measured(conn), self._thresholds, store.firing(conn))
            self._note_changes(store.record(conn, verdict, began, self._names()))
            told = self._tell(conn, began)
            self._memory.learn(conn)
            return told

    def happened(self, happenings: Sequence[Happening], *, at_any_rate: bool = False) -> Round:
        """Keep what happened and tell it. Raises psycopg.Error and TvdbError where there is no database to keep it in.

        at_any_rate: then it is told without being kept, if anybody can be told.
        """
        try:
            with measuring.connected(self._settings) as conn:
                began = measuring.clock(conn)
                store.happened(conn, happenings, self._names())
                return self._tell(conn, began)
        except _OUTAGE:
            told = self._tell_unkept(happenings) if at_any_rate else Round(0, 0, 0)
            if not told.sent:
                raise
            return told

    def _without_database(self, error: str) -> Round:
        for channel, message in self._unmarked:
            self._memory.told(channel, message)
        facts = Facts(
            machine.host(),
            error,
            disks=machine.disks(self._settings),
            memory=machine.memory(),
            silent=self._parts.silent(),
            deaths=self._dying.now(),
        )
        self._note_changes(self._memory.record(judge(facts, self._thresholds, self._memory.firing())))
        repeat = self._settings.alert_repeat_seconds
        sent = [
            self._send(channel, lambda channel=channel: self._memory.claim(channel.name, repeat), self._memory.told)
            for channel in self._channels
        ]
        return Round(
            len(self._memory.firing()), sum(out for out, _ in sent), sum(left for _, left in sent), outage=True
        )

    def _tell_unkept(self, happenings: Sequence[Happening]) -> Round:
        sent = [
            self._send(channel, iter([*unkept(happenings), None]).__next__, lambda _, __: None)
            for channel in self._channels
        ]
        return Round(0, sum(out for out, _ in sent), sum(left for _, left in sent))

    def _tell(self, conn: Connection, began: datetime) -> Round:
        repeat = self._settings.alert_repeat_seconds
        sent = [
            self._send(
                channel,
                lambda channel=channel: deliveries.claim(conn, channel.name, began, repeat),
                lambda name, message: self._mark(conn, name, message),
                lambda name, message: deliveries.give_back(conn, name, message),
            )
            for channel in self._channels
        ]
        return Round(len(store.firing(conn)), sum(out for out, _ in sent), sum(left for _, left in sent))

    def _send(
        self,
        channel: Channel,
        claim: Callable[[], Message | None],
        told: Callable[[str, Message], None],
        give_back: Callable[[str, Message], None] = lambda _, __: None,
    ) -> tuple[int, int]:
        """Send what a channel owes; how many messages were sent, and how many not."""
        sent, unsent, until = 0, 0, time.monotonic() + SENDING_SECONDS
        while time.monotonic() < until and (message := claim()) is not None:
            head = headline(message, self._settings.env)
            about: Fields = {"channel": channel.name, "alert": message.name, "severity": message.severity}
            about["count"] = len(message.lines)
            try:
                channel.send(head, text(message, self._settings.env))
            except NotSent as error:
                unsent += 1
                about["error"] = error.reason.replace(" ", "_")
                said = f"not sent by {channel.name} ({error.reason}), tried again: {head}"
                self._note(said, "alert_unsent", **about)
                give_back(channel.name, message)
                if error.down:
                    break
            else:
                sent += 1
                self._note(f"sent by {channel.name}: {head}", "alert_sent", **about)
                told(channel.name, message)
        return sent, unsent

    def _mark(self, conn: Connection, channel: str, message: Message) -> None:
        # Should the database go at this moment, it is marked as told when it is back.
        self._unmarked.append((channel, message))
        deliveries.told(conn, channel, message)
        self._unmarked.pop()

    def _catch_up(self, conn: Connection) -> None:
        while self._unmarked:
            deliveries.told(conn, *self._unmarked[-1])
            self._unmarked.pop()
        self._memory.write_down(conn)

    def _measured(self, conn: Connection) -> Facts:
        settings, waiting = self._settings, self._settings.alert_waiting_seconds
        settled = time.monotonic() - self._began >= self._thresholds.grace_seconds
        return Facts(
            machine.host(),
            budget=measuring.budget(conn, settings),
            breaker=measuring.breaker(conn),
            documents=measuring.documents(conn, waiting),
            progress=measuring.progress(conn, waiting),
            uploads=uploads(conn, settings),
            ends=measuring.ends(conn, settings.alert_window_seconds),
            heartbeats=measuring.heartbeats(conn, expected="daemon" in self._expected) if settled else None,
            connections=measuring.connections(conn),
            disks=machine.disks(settings),
            memory=machine.memory(),
            silent=self._parts.silent(),
            deaths=self._dying.now(),
        )

    def _names(self) -> list[str]:
        return [channel.name for channel in self._channels]

    def _note_changes(self, changes: Sequence[Change]) -> None:
        if not self._channels:
            for change in changes:
                said = "over" if change.ended else change.severity
                sentence = f"{said}: {change.name} {change.subject}".rstrip()
                event = "alert_over" if change.ended else "alert_fires"
                self._note(sentence, event, alert=change.name, subject=change.subject, severity=change.severity)
