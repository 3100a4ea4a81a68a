"""The rows of reservations: written, ended, and ended for those who cannot.

Belongs here: the SQL of tvdb.requests and what each change books in the dollar windows. Does not: limits (`ledger`).
Rows are always locked before the day they are booked in, so that no two writers wait for each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tvdb_pipeline.budget import windows
from tvdb_pipeline.budget.orders import Order, ReservationLapsed
from tvdb_pipeline.database.pools import Connection

State = Literal["held", "sent", "settled", "released", "charged_unknown"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A new row: its state, nano-dollars, when it began, until when its lease runs, the day it is booked in."""

    state: State
    cost_nano: int
    started_at: datetime
    lease_until: datetime
    day_starts: datetime
    paid: bool


@dataclass(frozen=True, slots=True)
class End:
    """A move to a final state from any of those in `before`.

    tokens, cost_nano: None leaves what was reserved; slot_seconds: how long its slot stays taken; under_way: whether the
    request may still be on its way, so that the slot counts from the end of the lease.
    """

    before: tuple[State, ...]
    state: State
    tokens: int | None
    cost_nano: int | None
    slot_seconds: float
    under_way: bool = False


def write(conn: Connection, model: str, order: Order, entry: Entry) -> int:
    """Write a reservation with its documents' shares; its number."""
    row = conn.execute(
        """INSERT INTO tvdb.requests (model, state, paid, purpose, inputs, tokens, cost_nano, day_starts, started_at,
               lease_until, request_key, attempt, kind)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        (
            model, entry.state, entry.paid, order.purpose, order.inputs, order.tokens, entry.cost_nano, entry.day_starts,
            entry.started_at, entry.lease_until, order.key, order.attempt, order.kind,
        ),
    ).fetchone()  # fmt: skip
    assert row is not None
    number: int = row[0]
    if order.shares:
        conn.execute(
            """INSERT INTO tvdb.request_shares (request_id, document_key, texts, tokens)
               SELECT %s, * FROM unnest(%s::text[], %s::int[], %s::bigint[])""",
            (
                number,
                list(order.shares),
                [share.texts for share in order.shares.values()],
                [share.tokens for share in order.shares.values()],
            ),
        )
    return number


def anything_due(conn: Connection, now: datetime) -> bool:
    """Whether a lease has run out, or a slot's time has passed."""
    row = conn.execute(
        """SELECT EXISTS (SELECT FROM tvdb.requests WHERE lease_until <= %s)
               OR EXISTS (SELECT FROM tvdb.requests WHERE slot_until <= %s)""",
        (now, now),
    ).fetchone()
    return row == (True,)


def repeated(conn: Connection, order: Order) -> int | None:
    """The reservation of this very attempt, if it was made before. Raises ReservationLapsed if it went further."""
    row = conn.execute(
        "SELECT id, state FROM tvdb.requests WHERE request_key = %s AND attempt = %s", (order.key, order.attempt)
    ).fetchone()
    if row is None:
        return None
    if row[1] != "held":
        raise ReservationLapsed
    return row[0]


def booked(conn: Connection, documents: Collection[str]) -> dict[str, int]:
    """Nano-dollars spent on, or reserved for, each of these documents, those without any left out."""
    rows = conn.execute(
        """SELECT s.document_key, sum(ceil(r.cost_nano::numeric * s.tokens / greatest(whole.tokens, 1)))::bigint
           FROM tvdb.request_shares s JOIN tvdb.requests r ON r.id = s.request_id,
                LATERAL (SELECT sum(tokens) AS tokens FROM tvdb.request_shares WHERE request_id = r.id) whole
           WHERE s.document_key = ANY(%s) AND r.paid AND r.state <> 'released' GROUP BY 1""",
        (list(documents),),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots of the request window in use, those of retries among them, and when the next one frees."""

    used: int
    retries: int
    opens_at: datetime | None


def slots(conn: Connection, now: datetime, slot_seconds: float) -> Slots:
    """The request window as it is once what is due has been tidied. Read only.

    A held reservation frees its slot with its lease, a sent one `slot_seconds` after it, unless it ends before.
    """
    row = conn.execute(
        """SELECT count(*), count(*) FILTER (WHERE kind = 'retry'), min(frees)
           FROM (SELECT kind, CASE state WHEN 'held' THEN lease_until
                              WHEN 'sent' THEN lease_until + make_interval(secs => %s) ELSE slot_until END AS frees
                 FROM tvdb.requests WHERE paid AND (lease_until IS NOT NULL OR slot_until IS NOT NULL)) taken
           WHERE frees > %s""",
        (slot_seconds, now),
    ).fetchone()
    assert row is not None
    return Slots(*row)


def day_sums(conn: Connection, now: datetime, day_starts: datetime) -> tuple[int, int]:
    """Nano-dollars spent and held of a day, as they are once what is due has been tidied. Read only."""
    row = conn.execute(
        """WITH lapsed AS (SELECT coalesce(sum(cost_nano), 0) AS held, coalesce(sum(cost_nano) FILTER (WHERE state = 'sent'), 0)
                               AS spent FROM tvdb.requests WHERE paid AND lease_until <= %(now)s AND day_starts = %(day)s)
           SELECT (coalesce(sum(w.spent_nano), 0) + lapsed.spent)::bigint, (coalesce(sum(w.held_nano), 0) - lapsed.held)::bigint
           FROM lapsed LEFT JOIN tvdb.dollar_windows w ON w.starts = %(day)s GROUP BY lapsed.spent, lapsed.held""",
        {"now": now, "day": day_starts},
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def end(conn: Connection, number: int, move: End, now: datetime) -> None:
    """End a reservation and book it; nothing where it is not in a state to be moved from. One that ended keeps its slot."""
    row = conn.execute(
        """UPDATE tvdb.requests r SET state = %(state)s, ended_at = coalesce(r.ended_at, %(now)s), lease_until = NULL,
               tokens = coalesce(%(tokens)s, r.tokens), cost_nano = coalesce(%(cost)s, r.cost_nano),
               slot_until = CASE WHEN r.lease_until IS NULL THEN r.slot_until WHEN r.paid THEN
                   CASE WHEN %(under_way)s THEN greatest(r.lease_until, %(now)s) ELSE %(now)s::timestamptz END
                   + make_interval(secs => %(slot)s) END
           FROM (SELECT id, state, cost_nano FROM tvdb.requests WHERE id = %(id)s FOR UPDATE) o
           WHERE r.id = o.id AND o.state = ANY(%(before)s)
           RETURNING o.state, o.cost_nano, r.cost_nano, r.day_starts, r.paid""",
        {
            "id": number, "before": list(move.before), "state": move.state, "now": now, "tokens": move.tokens,
            "cost": move.cost_nano, "slot": move.slot_seconds, "under_way": move.under_way,
        },
    ).fetchone()  # fmt: skip
    if row is None or not row[4]:
        return
    was, reserved, spent, day = row[:4]
    if was == "charged_unknown":
        windows.book_dollars(conn, day, held=0, spent=spent - reserved)
    else:
        windows.book_dollars(conn, day, held=-reserved, spent=spent)


def reap(conn: Connection, now: datetime, slot_seconds: float) -> int:
    """End what has outlived its lease: held ones are released, sent ones charged; how many.

    The request window must be locked. A charged one keeps its slot for `slot_seconds` from the end of its lease.
    """
    rows = conn.execute(
        # One that is being settled at this moment is left alone.
        """WITH lapsed AS (SELECT id, state, cost_nano, day_starts, paid FROM tvdb.requests WHERE lease_until <= %(now)s
                           ORDER BY id FOR UPDATE SKIP LOCKED),
                ended AS (UPDATE tvdb.requests r
                          SET state = CASE l.state WHEN 'held' THEN 'released' ELSE 'charged_unknown' END,
                              tokens = CASE l.state WHEN 'held' THEN 0 ELSE r.tokens END,
                              cost_nano = CASE l.state WHEN 'held' THEN 0 ELSE r.cost_nano END,
                              ended_at = r.lease_until, lease_until = NULL,
                              slot_until = CASE WHEN r.paid AND l.state = 'held' THEN %(now)s
                                  WHEN r.paid THEN r.lease_until + make_interval(secs => %(slot)s) END
                          FROM lapsed l WHERE r.id = l.id)
           SELECT state, cost_nano, day_starts, paid FROM lapsed""",
        {"now": now, "slot": slot_seconds},
    ).fetchall()
    held: dict[datetime, int] = defaultdict(int)
    spent: dict[datetime, int] = defaultdict(int)
    for state, cost, day, paid in rows:
        if paid:
            held[day] -= cost
            spent[day] += cost if state == "sent" else 0
    for day in sorted(held):
        windows.book_dollars(conn, day, held=held[day], spent=spent[day])
    return len(rows)
