"""Watching without end, from outside Dagster: what tells that a daemon, a server or the database is gone.

Belongs here: the loop. Does not: a round of it (`rounds`), or the command (`commands.watch`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import Unpack

from tvdb_pipeline.operations.alerts.machine import Part
from tvdb_pipeline.operations.alerts.rounds import Note, Watcher
from tvdb_pipeline.privacy import logs
from tvdb_pipeline.settings import Settings

INTERVAL_SECONDS = 15.0
GRACE_SECONDS = 45.0
"""How long a part may be silent: servers take a while to start, and a supervisor starts them again."""


def to_stderr(sentence: str, event: str, **fields: Unpack[logs.Fields]) -> None:
    """One line of the log."""
    logs.tell(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} alert {sentence}", event, **fields)


def watch(
    settings: Settings,
    stop: threading.Event,
    expected: Collection[Part] = (),
    interval: float = INTERVAL_SECONDS,
    *,
    grace: float = GRACE_SECONDS,
    note: Note = to_stderr,
) -> None:
    """Make a round every `interval` seconds until `stop` is set. Raises nothing: a round that fails is noted, by its type."""
    logs.for_people = settings.env == "development"
    watcher = Watcher(settings, expected, grace=grace, note=note)
    while True:
        try:
            watcher.round()
        except Exception as error:
            name = type(error).__name__
            note(
                f"round not made ({name}); the next is in {interval:.0f} s",
                "round_failed",
                error=name,
                seconds=interval,
            )
        if stop.wait(interval):
            return
