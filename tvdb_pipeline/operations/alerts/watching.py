"""Watching without end, from outside Dagster: what tells that a daemon, a server or the database is gone.

Belongs here: the loop. Does not: a round of it (`rounds`), or the command (`commands.watch`).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection

from tvdb_pipeline.operations.alerts.machine import Part
from tvdb_pipeline.operations.alerts.rounds import Watcher
from tvdb_pipeline.settings import Settings

INTERVAL_SECONDS = 15.0
GRACE_SECONDS = 45.0
"""How long a part may be silent: servers take a while to start, and a supervisor starts them again."""


def to_stderr(line: str) -> None:
    """One line of the log."""
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} alert {line}", file=sys.stderr, flush=True)


def watch(
    settings: Settings,
    stop: threading.Event,
    expected: Collection[Part] = (),
    interval: float = INTERVAL_SECONDS,
    *,
    grace: float = GRACE_SECONDS,
    note: Callable[[str], None] = to_stderr,
) -> None:
    """Make a round every `interval` seconds until `stop` is set. Raises nothing: a round that fails is noted, by its type."""
    watcher = Watcher(settings, expected, grace=grace, note=note)
    while True:
        try:
            watcher.round()
        except Exception as error:
            note(f"round not made ({type(error).__name__}); the next is in {interval:.0f} s")
        if stop.wait(interval):
            return
