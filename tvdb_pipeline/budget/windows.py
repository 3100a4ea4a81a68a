"""The rows money and requests are taken from: one window of requests, one dollar window a day.

Belongs here: their SQL. Does not: reservations (`ledger`). Whoever takes anything has locked the request window first, so that
takers are judged one after the other; CHECK constraints on both rows are the second barrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tvdb_pipeline.budget.orders import Kind, Limits
from tvdb_pipeline.database.pools import Connection


@dataclass(frozen=True, slots=True)
class RequestWindow:
    """used: slots taken; retries: those of them taken by retries."""

    used: int
    retries: int

    def retries_allowed(self, limits: Limits) -> int:
        """How many of the attempts in the window may be retries, the one asked for included."""
        return max(limits.retry_floor, int(limits.retry_share * (self.used + 1)))


def lock_requests(conn: Connection) -> RequestWindow:
    """The request window, locked until the transaction ends."""
    row = conn.execute("SELECT used, retries FROM tvdb.request_window FOR UPDATE").fetchone()
    assert row is not None
    return RequestWindow(*row)


def free_slots(conn: Connection, now: datetime) -> int:
    """Give back the slots whose time has passed; how many. The window must be locked."""
    row = conn.execute(
        # One that is being corrected at this moment is freed the next time: waiting for it could be waiting in a circle.
        """WITH due AS (SELECT id FROM tvdb.requests WHERE slot_until <= %s ORDER BY id FOR UPDATE SKIP LOCKED),
                freed AS (UPDATE tvdb.requests r SET slot_until = NULL FROM due WHERE r.id = due.id RETURNING kind),
                counted AS (SELECT count(*) AS slots, count(*) FILTER (WHERE kind = 'retry') AS retries FROM freed)
           UPDATE tvdb.request_window w SET used = w.used - counted.slots, retries = w.retries - counted.retries
           FROM counted WHERE counted.slots > 0 RETURNING counted.slots""",
        (now,),
    ).fetchone()
    return 0 if row is None else row[0]


def take_slot(conn: Connection, limit: int, kind: Kind) -> bool:
    """Take one slot, if the limit leaves one. The window must be locked."""
    done = conn.execute(
        """UPDATE tvdb.request_window SET used = used + 1, retries = retries + %s, capacity = %s WHERE used < %s""",
        (int(kind == "retry"), limit, limit),
    )
    return done.rowcount == 1


def day_of(moment: datetime, length: float) -> datetime:
    """Start of the dollar window of `length` seconds that a moment lies in."""
    return datetime.fromtimestamp(moment.timestamp() // length * length, UTC)


def take_dollars(conn: Connection, starts: datetime, cost: int, limit: int) -> bool:
    """Hold `cost` in a day's window, if the limit leaves as much. The request window must be locked."""
    if cost > limit:
        return False
    done = conn.execute(
        """INSERT INTO tvdb.dollar_windows AS w (starts, spent_nano, held_nano, capacity_nano)
           VALUES (%(starts)s, 0, %(cost)s, %(limit)s)
           ON CONFLICT (starts) DO UPDATE SET held_nano = w.held_nano + %(cost)s, capacity_nano = %(limit)s
               WHERE w.spent_nano + w.held_nano + %(cost)s <= %(limit)s""",
        {"starts": starts, "cost": cost, "limit": limit},
    )
    return done.rowcount == 1


def book_dollars(conn: Connection, starts: datetime, *, held: int, spent: int) -> None:
    """Change what is held and spent in a window by these amounts; spending more than was held is an overrun."""
    conn.execute(
        """UPDATE tvdb.dollar_windows SET held_nano = held_nano + %(held)s, spent_nano = spent_nano + %(spent)s,
               overrun_nano = overrun_nano + greatest(%(held)s + %(spent)s, 0) WHERE starts = %(starts)s""",
        {"starts": starts, "held": held, "spent": spent},
    )
