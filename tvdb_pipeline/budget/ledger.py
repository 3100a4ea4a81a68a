"""The ledger: each paid HTTP attempt is reserved before it is made and settled after.

Belongs here: reserving against the limits, settling, and what was spent. Does not: making the attempt. The price of an
embedding request is known before it is sent (it has no output tokens), so what is reserved is what it will cost.
All amounts are nano-dollars (see `prices`); days are UTC; the hour is the last 60 minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.errors import TvdbError

Purpose = Literal["documents", "query"]
HOLD_SECONDS = 900
"""How long a reservation can be under way; one held for longer is of a process that was killed, and its hour runs from then."""
_LOCK = 0x6C646772  # "ldgr": reservations are judged one after the other


class BudgetRefused(TvdbError):
    """A limit would be crossed: nothing was sent. Codes `hour_limit`, `day_limit`, `document_limit`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, kind="budget", retryable=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """daily_nano and document_nano in nano-dollars; hourly_requests in HTTP attempts."""

    daily_nano: int
    hourly_requests: int
    document_nano: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one document has in a request."""

    texts: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Order:
    """One request about to be made: how many inputs and tokens it carries, and for which documents."""

    inputs: int
    tokens: int
    purpose: Purpose
    shares: Mapping[str, Share] = field(default_factory=dict[str, Share])


@dataclass(frozen=True, slots=True)
class BudgetState:
    """spent: settled or charged after an unknown outcome, today; held: reserved now; both nano-dollars."""

    spent_nano: int
    held_nano: int
    requests_last_hour: int


@dataclass(frozen=True, slots=True)
class Sums:
    """texts and requests sent, nano-dollars booked."""

    texts: int
    requests: int
    cost_nano: int


class Ledger:
    """The ledger of one database under given limits."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self.limits = limits

    def reserve(self, model: str, order: Order) -> int:
        """Take one request and its price from the windows; the reservation's number. Raises BudgetRefused."""
        cost = price(model) * order.tokens
        with self._database.connection() as conn:
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            now = self._state(conn)
            if now.requests_last_hour >= self.limits.hourly_requests:
                raise BudgetRefused(
                    "hour_limit",
                    f"The limit of {self.limits.hourly_requests} requests an hour is reached; it resumes as the hour passes.",
                )
            if now.spent_nano + now.held_nano + cost > self.limits.daily_nano:
                raise BudgetRefused(
                    "day_limit",
                    f"The daily limit of ${self.limits.daily_nano / 1e9:.2f} would be crossed; it resumes after midnight UTC.",
                )
            return self._insert(conn, model, order, cost=cost, paid=True)

    def record_free(self, model: str, order: Order) -> int:
        """Note a request to the mock: outside all limits. It is held until settled, like any other."""
        with self._database.connection() as conn:
            return self._insert(conn, model, order, cost=0, paid=False)

    def settle(self, conn: Connection, number: int, model: str, tokens: int) -> None:
        """Book what the answer says was used. In the caller's transaction, so that vectors and bill are kept together."""
        self._end(conn, number, "settled", tokens, tokens * price(model))

    def release(self, number: int) -> None:
        """The attempt certainly cost nothing (refused before any work). It still counts as a request."""
        with self._database.connection() as conn:
            self._end(conn, number, "released", 0, 0)

    def charge_unknown(self, number: int) -> None:
        """Nobody knows whether the attempt was billed: count it as spent in full."""
        self._database.run(
            "UPDATE tvdb.requests SET state = 'charged_unknown', ended_at = clock_timestamp() WHERE id = %s AND state = 'held'",
            (number,),
        )

    def state(self) -> BudgetState:
        """Today's and the last hour's figures."""
        with self._database.connection() as conn:
            return self._state(conn)

    def last_request(self) -> int:
        """The number of the newest request, 0 before the first: a mark for `sums_since`."""
        return self._database.fetch("SELECT coalesce(max(id), 0) FROM tvdb.requests")[0][0]

    def sums_since(self, mark: int, keys: Sequence[str]) -> Sums:
        """What was sent after `mark` for any of these documents, to any client, the mock included; refusals are not."""
        row = self._database.fetch(
            """SELECT coalesce(sum(inputs), 0)::bigint, count(*), coalesce(sum(cost_nano), 0)::bigint FROM tvdb.requests
               WHERE id > %s AND state <> 'released'
                   AND id IN (SELECT request_id FROM tvdb.request_shares WHERE document_key = ANY(%s))""",
            (mark, list(keys)),
        )[0]
        return Sums(*row)

    def _state(self, conn: Connection) -> BudgetState:
        row = conn.execute(
            """SELECT coalesce(sum(cost_nano) FILTER (WHERE state IN ('settled', 'charged_unknown')), 0)::bigint,
                      coalesce(sum(cost_nano) FILTER (WHERE state = 'held'), 0)::bigint,
                      (SELECT count(*) FROM tvdb.requests
                       WHERE paid AND coalesce(ended_at, started_at + make_interval(secs => %s))
                           > clock_timestamp() - interval '60 minutes')
               FROM tvdb.requests WHERE paid AND day = (clock_timestamp() AT TIME ZONE 'UTC')::date""",
            (HOLD_SECONDS,),
        ).fetchone()
        assert row is not None
        return BudgetState(*row)

    def _insert(self, conn: Connection, model: str, order: Order, *, cost: int, paid: bool) -> int:
        row = conn.execute(
            """INSERT INTO tvdb.requests (model, state, paid, purpose, inputs, tokens, cost_nano, day, started_at)
               VALUES (%s, 'held', %s, %s, %s, %s, %s, (clock_timestamp() AT TIME ZONE 'UTC')::date, clock_timestamp())
               RETURNING id""",
            (model, paid, order.purpose, order.inputs, order.tokens, cost),
        ).fetchone()
        assert row is not None
        number: int = row[0]
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO tvdb.request_shares (request_id, document_key, texts, tokens) VALUES (%s, %s, %s, %s)",
                [(number, key, share.texts, share.tokens) for key, share in order.shares.items()],
            )
        return number

    def _end(self, conn: Connection, number: int, state: str, tokens: int, cost: int) -> None:
        conn.execute(
            """UPDATE tvdb.requests SET state = %s, tokens = %s, cost_nano = %s, ended_at = clock_timestamp()
               WHERE id = %s AND state = 'held'""",
            (state, tokens, cost, number),
        )
