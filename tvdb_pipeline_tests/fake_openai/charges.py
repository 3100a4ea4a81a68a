"""The charge log: every request that arrived, and what the provider billed for it.

Belongs here: writing arrivals down, once each, and counting them. Does not: deciding what is charged.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

NANO_DOLLARS_A_TOKEN = 20


@dataclass
class Entry:
    """One request.

    number: 1 for the first; request_id: its X-Client-Request-Id; arrived, answered: seconds since 1970, the latter when the
    first byte of an answer was about to leave, None until then and where none did; inputs: how many; tokens: what they hold;
    charged: whether they were billed; outcome: `answered`, a fault's name, or status and code of a refusal.
    """

    number: int
    request_id: str
    arrived: float
    answered: float | None = None
    inputs: int = 0
    tokens: int = 0
    charged: bool = False
    outcome: str = "unfinished"


@dataclass
class Charge:
    """One request that was billed. number: that of its entry."""

    inputs: list[str]
    tokens: int
    number: int = 0
    request_id: str = ""


@dataclass
class ChargeLog:
    """Safe to use from many threads.

    file: where each entry is appended as a line of JSON before its answer leaves; remember: whether entries and charges are
    kept in memory, too.
    """

    file: Path | None = None
    remember: bool = True
    entries: list[Entry] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    attempts: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._descriptor = None if self.file is None else os.open(self.file, flags, 0o644)

    def arrive(self, request_id: str, key: str) -> Entry:
        """A new entry, not yet charged."""
        with self._lock:
            self.attempts += 1
            self.keys.add(key)
            entry = Entry(self.attempts, request_id, time.time())
            if self.remember:
                self.entries.append(entry)
            return entry

    def book(self, entry: Entry, inputs: list[str], tokens: int, *, charged: bool, outcome: str) -> None:
        """What becomes of the request. From here on it is in the bill, if charged."""
        with self._lock:
            entry.inputs, entry.tokens, entry.charged, entry.outcome = len(inputs), tokens, charged, outcome
            if charged and self.remember:
                self.charges.append(Charge(inputs, tokens, entry.number, entry.request_id))

    def finish(self, entry: Entry, *, silent: bool) -> None:
        """To be called once, just before the answer leaves; silent: none will."""
        entry.answered = None if silent else time.time()
        if self._descriptor is not None:
            os.write(self._descriptor, json.dumps(asdict(entry)).encode() + b"\n")

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def busiest(arrived: Iterable[float], seconds: float) -> int:
    """The largest number of arrivals within any window [t, t + seconds)."""
    window, most = deque[float](), 0
    for moment in sorted(arrived):
        window.append(moment)
        while moment - window[0] >= seconds:
            window.popleft()
        most = max(most, len(window))
    return most
