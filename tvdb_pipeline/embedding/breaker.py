"""The circuit breaker: one row in PostgreSQL, shared by all processes.

Belongs here: when the provider may be asked at all. Does not: what an attempt costs, or retries of one request.

    closed --failures in a row, or one that trips--> open --cool-down over, one takes the probe--> half_open
    half_open --the probe is answered--> closed      half_open --it fails--> open, for twice as long

Every change is a compare-and-set on the epoch: of many who see that the cool-down is over, one becomes the probe; a result that
comes late, from before the last change, changes nothing. A probe whose process is killed is replaced when its lease runs out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from psycopg.rows import class_row

from tvdb_pipeline.budget.ledger import Clock
from tvdb_pipeline.database.pools import Connection, Database, server_time
from tvdb_pipeline.embedding.failures import FAILURES, ProviderError

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """threshold: failures in a row that open it; the rest in seconds: first and longest cool-down, lease of a probe."""

    threshold: int = 5
    cooldown: float = 30.0
    longest: float = 900.0
    probe_lease: float = 150.0


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The row. code: the failure that opened it; retry_at: when a probe is let through; rest_until: see its comment."""

    subject: str
    state: State
    epoch: int
    failures: int
    trips: int
    code: str | None
    retry_at: datetime | None
    probe_until: datetime | None
    rest_until: datetime | None


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one attempt. probe: it alone decides whether the breaker closes; rest_seconds: to be waited first."""

    epoch: int
    probe: bool
    rest_seconds: float = 0.0


_COLUMNS: Final = "subject, state, epoch, failures, trips, code, retry_at, probe_until, rest_until"


class Breaker:
    """The breaker as seen by a process that asks `subject` (a hash of endpoint, model and key)."""

    def __init__(
        self, database: Database, subject: str, policy: BreakerPolicy | None = None, clock: Clock | None = None
    ) -> None:
        self._database = database
        self._subject = subject
        self._policy = policy or BreakerPolicy()
        self._clock = clock

    def permit(self) -> Permit:
        """Leave to ask the provider. Raises ProviderError (`breaker_open`), with `retry_at`."""
        with self._database.connection() as conn:
            while True:
                now, row = self._now(conn), _read(conn)
                if row.subject != self._subject:
                    # Another endpoint or key: what was learned of the former does not count.
                    self._forget(conn, row)
                elif row.state == "closed":
                    rest = max((row.rest_until - now).total_seconds(), 0.0) if row.rest_until else 0.0
                    return Permit(row.epoch, False, rest)
                else:
                    due = _due(row)
                    if due > now:
                        raise _refusal(row, due)
                    if self._take_probe(conn, row, now):
                        return Permit(row.epoch + 1, True)
                conn.commit()

    def succeeded(self, permit: Permit) -> None:
        """The provider answered."""
        self._database.run(
            """UPDATE tvdb.breaker SET failures = 0, trips = 0, code = NULL, state = 'closed', retry_at = NULL,
                   probe_until = NULL, epoch = epoch + (state = 'half_open')::int, changed_at = clock_timestamp()
               WHERE epoch = %s AND state = %s AND (state = 'half_open' OR failures > 0)""",
            (permit.epoch, "half_open" if permit.probe else "closed"),
        )

    def failed(self, permit: Permit, error: ProviderError) -> None:
        """The provider failed. What does not count (a refused input) is an answer, too: it shows that the provider works."""
        verdict = error.failure.breaker
        if verdict == "ignores":
            if permit.probe:
                (self.succeeded if error.reached else self.abandoned)(permit)
            return
        with self._database.connection() as conn:
            row = conn.execute(
                """UPDATE tvdb.breaker SET failures = failures + 1, code = %s
                   WHERE epoch = %s AND state = %s RETURNING failures, trips""",
                (error.code, permit.epoch, "half_open" if permit.probe else "closed"),
            ).fetchone()
            if row is not None and (permit.probe or verdict == "trips" or row[0] >= self._policy.threshold):
                self._open(conn, row[1], error.retry_after or 0.0)

    def abandoned(self, permit: Permit) -> None:
        """The attempt was not made after all, for reasons of our own: the next caller may probe at once."""
        if permit.probe:
            with self._database.connection() as conn:
                conn.execute(
                    """UPDATE tvdb.breaker SET state = 'open', epoch = epoch + 1, probe_until = NULL, retry_at = %s
                       WHERE epoch = %s AND state = 'half_open'""",
                    (self._now(conn), permit.epoch),
                )

    def rest(self, seconds: float) -> None:
        """Nobody is to ask for so long: the provider said so."""
        if seconds > 0:
            with self._database.connection() as conn:
                conn.execute(
                    "UPDATE tvdb.breaker SET rest_until = greatest(rest_until, %s) WHERE subject = %s",
                    (self._now(conn) + timedelta(seconds=seconds), self._subject),
                )

    def state(self) -> BreakerState:
        """The row as it is now."""
        with self._database.connection() as conn:
            return _read(conn)

    def may_ask(self) -> bool:
        """Whether a permit would be given now; takes none."""
        with self._database.connection() as conn:
            row, now = _read(conn), self._now(conn)
        if row.subject != self._subject:
            return True
        return _due(row) <= now

    def _forget(self, conn: Connection, row: BreakerState) -> None:
        conn.execute(
            """UPDATE tvdb.breaker SET subject = %s, state = 'closed', epoch = epoch + 1, failures = 0, trips = 0, code = NULL,
                   retry_at = NULL, probe_until = NULL, rest_until = NULL, changed_at = clock_timestamp()
               WHERE epoch = %s AND subject = %s""",
            (self._subject, row.epoch, row.subject),
        )

    def _take_probe(self, conn: Connection, row: BreakerState, now: datetime) -> bool:
        done = conn.execute(
            """UPDATE tvdb.breaker SET state = 'half_open', epoch = epoch + 1, retry_at = NULL, probe_until = %s,
                   changed_at = clock_timestamp()
               WHERE epoch = %s AND state = %s""",
            (now + timedelta(seconds=self._policy.probe_lease), row.epoch, row.state),
        )
        return done.rowcount == 1

    def _open(self, conn: Connection, trips: int, at_least: float) -> None:
        pause = max(min(self._policy.cooldown * 2.0 ** min(trips, 30), self._policy.longest), at_least)
        conn.execute(
            """UPDATE tvdb.breaker SET state = 'open', epoch = epoch + 1, trips = trips + 1, probe_until = NULL, retry_at = %s,
                   changed_at = clock_timestamp()""",
            (self._now(conn) + timedelta(seconds=pause),),
        )

    def _now(self, conn: Connection) -> datetime:
        return self._clock() if self._clock is not None else server_time(conn)


def _due(row: BreakerState) -> datetime:
    """From when on somebody may ask: after the cool-down or the probe's lease, and after a rest the provider asked for."""
    moments = (row.retry_at, row.probe_until, row.rest_until)
    return max((moment for moment in moments if moment is not None), default=datetime.min.replace(tzinfo=UTC))


def _read(conn: Connection) -> BreakerState:
    with conn.cursor(row_factory=class_row(BreakerState)) as cursor:
        row = cursor.execute(f"SELECT {_COLUMNS} FROM tvdb.breaker").fetchone()
    assert row is not None
    return row


def _refusal(row: BreakerState, due: datetime) -> ProviderError:
    advice = FAILURES[row.code].advice if row.code in FAILURES else ""
    return ProviderError(
        "breaker_open",
        detail=f"Last failure ({row.code}): {advice} It is asked again by itself after {due.astimezone(UTC):%H:%M:%S} UTC.",
        retry_at=due,
    )
