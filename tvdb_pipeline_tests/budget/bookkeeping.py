"""What the tests of the ledger share: orders, a clock to set by hand, and a look at the tables behind its back.

Belongs here: what more than one of them needs. Does not: fixtures (`conftest`), expectations.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetRefused, Order, Share
from tvdb_pipeline.database.pools import Database

SMALL, LARGE = "text-embedding-3-small", "text-embedding-3-large"
MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
NOON = MIDNIGHT - timedelta(hours=12)
REQUESTS, HELD, SENT = 3600, 60, 150
"""The lengths `make_ledger` gives: of the request window and of the two leases, in seconds."""


class HandClock:
    """Shows the moment it was set to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> datetime:
        """Move on; the moment shown now."""
        self.now += timedelta(seconds=seconds)
        return self.now


def order(tokens: int, *, naming: tuple[str, int] | None = None, kind: Any = "first", **shares: int) -> Order:
    """tokens, of which each document named causes so many; naming: key and attempt, else of its own."""
    named: dict[str, Any] = {} if naming is None else {"key": naming[0], "attempt": naming[1]}
    parts = {key: Share(1, part) for key, part in shares.items()}
    return Order(max(len(shares), 1), tokens, "documents", parts, kind=kind, **named)


def settle(database: Database, book: Ledger, number: int, tokens: int, model: str = SMALL) -> None:
    """Settle in a transaction of its own."""
    with database.connection() as conn:
        book.settle(conn, number, model, tokens)


def sent(book: Ledger, wanted: Order, model: str = SMALL) -> int:
    """Reserve and mark sent; the number."""
    number = book.reserve(model, wanted)
    book.mark_sent(number)
    return number


def bought(database: Database, book: Ledger, wanted: Order, tokens: int | None = None, model: str = SMALL) -> int:
    """Reserve, send and settle, with what was reserved unless the provider counts other tokens; the number."""
    number = sent(book, wanted, model)
    settle(database, book, number, wanted.tokens if tokens is None else tokens, model)
    return number


def refused(attempt: Callable[[], object]) -> BudgetRefused:
    """The refusal this attempt meets."""
    with pytest.raises(BudgetRefused) as caught:
        attempt()
    assert (caught.value.kind, caught.value.retryable) == ("budget", True)
    return caught.value


def row(database: Database, number: int) -> tuple[str, int, int]:
    """State, tokens and cost of a reservation."""
    found = database.fetch("SELECT state, tokens, cost_nano FROM tvdb.requests WHERE id = %s", (number,))[0]
    return found[0], found[1], found[2]


def rows(database: Database) -> int:
    """How many reservations were ever written."""
    return database.fetch("SELECT count(*) FROM tvdb.requests")[0][0]


def disagreements(database: Database) -> list[Any]:
    """Where the windows say something else than the rows they sum up; empty if nowhere."""
    return database.fetch(
        """WITH slots AS (SELECT count(*) AS used, count(*) FILTER (WHERE kind = 'retry') AS retries FROM tvdb.requests
                          WHERE paid AND (lease_until IS NOT NULL OR slot_until IS NOT NULL)),
                days AS (SELECT day_starts AS starts,
                             coalesce(sum(cost_nano) FILTER (WHERE state IN ('held', 'sent')), 0) AS held,
                             coalesce(sum(cost_nano) FILTER (WHERE state IN ('settled', 'charged_unknown')), 0) AS spent
                         FROM tvdb.requests WHERE paid GROUP BY 1)
           SELECT 'slots', w.used, w.retries, s.used, s.retries, NULL FROM tvdb.request_window w, slots s
           WHERE (w.used, w.retries) <> (s.used, s.retries)
           UNION ALL
           SELECT 'day', d.held_nano, d.spent_nano, r.held, r.spent, coalesce(d.starts, r.starts)
           FROM tvdb.dollar_windows d FULL JOIN days r ON r.starts = d.starts
           WHERE (coalesce(d.held_nano, 0), coalesce(d.spent_nano, 0)) <> (coalesce(r.held, 0), coalesce(r.spent, 0))"""
    )
