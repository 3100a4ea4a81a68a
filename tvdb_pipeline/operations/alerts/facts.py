"""What a round of watching measured.

Belongs here: the records. Does not: measuring (`measuring`, `machine`, `uploads`), or judging (`rules`). What could not be
measured is None: then nothing is concluded, neither that something is wrong nor that it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tvdb_pipeline.operations.serving.deaths import Death


@dataclass(frozen=True, slots=True)
class Level:
    """Something that fills up. limit 0: nothing may be used at all, by choice."""

    used: float
    limit: float

    @property
    def share(self) -> float:
        """Used of the limit, 0 where there is no limit to reach."""
        return self.used / self.limit if self.limit > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """dollars: spent and held of the day's window, in nano-dollars; requests: slots of the rolling hour in use.

    least_nano: what the largest passage would cost: when less is left, the day is over.
    """

    dollars: Level
    requests: Level
    least_nano: int


@dataclass(frozen=True, slots=True)
class BreakerFacts:
    """The breaker's row: its state, and the failure that opened it."""

    state: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A document that is not tried again by itself."""

    key: str
    code: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Documents that wait too long for one reason. oldest: the key of that which waits longest, since when."""

    code: str
    documents: int
    oldest: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Documents:
    """failed: the first of them, `failed_count` in all; waiting: by code."""

    failed: list[Failed] = field(default_factory=list[Failed])
    failed_count: int = 0
    waiting: list[Waiting] = field(default_factory=list[Waiting])


@dataclass(frozen=True, slots=True)
class Progress:
    """due: documents that could have gone on for too long; silent_seconds: since the last entry of the journal, None if it is
    empty."""

    due: int
    silent_seconds: float | None


@dataclass(frozen=True, slots=True)
class Uploads:
    """error: the code where the folder cannot be read, the rest then unknown.

    waiting: files that were new or changed for too long; known: documents of the folder; withheld: those missing, where they are
    so many that they are not let go of, else 0.
    """

    error: str | None = None
    waiting: int = 0
    known: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Ends:
    """Documents that came to an end within the window, by their last one."""

    documents: int
    failed: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was measured in one round. host: this machine's name.

    unreachable: what kind of error the database gave, '' where it answered; heartbeats: seconds since each daemon's last beat;
    disks: by what lies on them, in bytes; memory: in bytes; silent: of each part expected that does not answer, for how
    many seconds; deaths: of parts that are down, or died since the last round.
    """

    host: str
    unreachable: str = ""
    budget: Budget | None = None
    breaker: BreakerFacts | None = None
    documents: Documents | None = None
    progress: Progress | None = None
    uploads: Uploads | None = None
    ends: Ends | None = None
    heartbeats: dict[str, float] | None = None
    connections: Level | None = None
    disks: dict[str, Level] | None = None
    memory: Level | None = None
    silent: dict[str, float] | None = None
    deaths: list[Death] | None = None
