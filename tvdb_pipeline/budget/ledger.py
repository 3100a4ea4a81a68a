"""The ledger: each paid HTTP attempt is reserved before it is made and settled after.

Belongs here: the life of a reservation, and what was spent. Does not: making the attempt. The price of an embedding request is
known before it is sent (it has no output tokens), so what is reserved is what it will cost.

    held -> sent -> settled | released | charged_unknown        held -> released

A reservation holds a lease in each of the first two states. When it runs out (its process was killed), a held one is released,
because nothing was sent, and a sent one is charged in full, because it may have been billed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tvdb_pipeline.budget import reservations, windows
from tvdb_pipeline.budget.orders import (
    BudgetRefused,
    BudgetState,
    Limits,
    Order,
    ReservationLapsed,
    Share,
    Sums,
    Windows,
)
from tvdb_pipeline.budget.prices import price, shown
from tvdb_pipeline.database.pools import Connection, Database, server_time
from tvdb_pipeline.waypoints import passed

Clock = Callable[[], datetime]


class Ledger:
    """The ledger of one database under given limits.

    lengths: how long windows and leases are; clock: the database's own for None, so that all processes share one.
    """

    def __init__(self, database: Database, limits: Limits, lengths: Windows, clock: Clock | None = None) -> None:
        self._database = database
        self.limits = limits
        self.lengths = lengths
        self._clock = clock

    def reserve(self, model: str, order: Order) -> int:
        """Take one slot, then the price, then write the reservation; its number. Raises BudgetRefused."""
        rate = price(model)
        cost = rate * order.tokens
        with self._database.connection() as conn:
            now = self._now(conn)
            if not reservations.anything_due(conn, now):
                if (number := reservations.repeated(conn, order)) is not None:
                    return number
                # Many who ask in vain must not queue up before the lock.
                self._refuse_if_full(conn, cost, rate, now)
            conn.commit()
            window = windows.lock_requests(conn)
            passed("ledger.locked")
            now = self._now(conn)
            if reservations.anything_due(conn, now):
                # Kept even if this order is refused; the lock is taken anew.
                self._tidy(conn, now)
                conn.commit()
                window = windows.lock_requests(conn)
            if (number := reservations.repeated(conn, order)) is not None:
                return number
            self._admit(conn, order, window, cost, rate, now)
            lease = now + timedelta(seconds=self.lengths.held_lease)
            entry = reservations.Entry("held", cost, now, lease, windows.day_of(now, self.lengths.dollars), paid=True)
            number = reservations.write(conn, model, order, entry)
            passed("ledger.reserved_uncommitted")
        passed("ledger.reserved")
        return number

    def record_free(self, model: str, order: Order) -> int:
        """Note a request to the mock: outside all limits. It is under way until settled, like any other."""
        with self._database.connection() as conn:
            now = self._now(conn)
            lease = now + timedelta(seconds=self.lengths.sent_lease)
            entry = reservations.Entry("sent", 0, now, lease, windows.day_of(now, self.lengths.dollars), paid=False)
            return reservations.write(conn, model, order, entry)

    def mark_sent(self, number: int) -> None:
        """The attempt is about to leave. Raises ReservationLapsed where its lease ran out: then it must not."""
        with self._database.connection() as conn:
            now = self._now(conn)
            done = conn.execute(
                "UPDATE tvdb.requests SET state = 'sent', lease_until = %s WHERE id = %s AND state = 'held' AND lease_until > %s",
                (now + timedelta(seconds=self.lengths.sent_lease), number, now),
            )
            passed("ledger.sent_uncommitted")
        if done.rowcount != 1:
            raise ReservationLapsed
        passed("ledger.sent")

    def settle(self, conn: Connection, number: int, model: str, tokens: int) -> None:
        """Book what the answer says was used. In the caller's transaction, so that vectors and bill are kept together.

        An answer that arrives after its lease ran out corrects what was charged then. Settling twice changes nothing.
        """
        cost, slot = tokens * price(model), self.lengths.requests
        move = reservations.End(("sent", "charged_unknown"), "settled", tokens, cost, slot)
        reservations.end(conn, number, move, self._now(conn))
        passed("ledger.settled_uncommitted")

    def release(self, number: int, *, reached: bool = True) -> None:
        """The attempt certainly cost nothing. Its slot stays taken if the provider was reached."""
        move = reservations.End(("held", "sent"), "released", 0, 0, self.lengths.requests if reached else 0.0)
        with self._database.connection() as conn:
            reservations.end(conn, number, move, self._now(conn))

    def charge_unknown(self, number: int) -> None:
        """Nobody knows whether the attempt was billed, or has arrived yet: count it as spent in full."""
        move = reservations.End(("held", "sent"), "charged_unknown", None, None, self.lengths.requests, under_way=True)
        with self._database.connection() as conn:
            reservations.end(conn, number, move, self._now(conn))

    def reap(self) -> int:
        """End reservations whose lease ran out and free slots whose time has passed; how many changed."""
        with self._database.connection() as conn:
            windows.lock_requests(conn)
            return self._tidy(conn, self._now(conn))

    def state(self) -> BudgetState:
        """Today's figures and the request window's, as they are once what is due has been tidied."""
        with self._database.connection() as conn:
            now = self._now(conn)
            slots = reservations.slots(conn, now, self.lengths.requests)
            spent, held = reservations.day_sums(conn, now, windows.day_of(now, self.lengths.dollars))
        return BudgetState(spent, held, slots.used, slots.retries, slots.opens_at)

    def day_starts(self) -> datetime:
        """When the dollar window of now began."""
        with self._database.connection() as conn:
            return windows.day_of(self._now(conn), self.lengths.dollars)

    def number_of(self, key: str, attempt: int) -> int | None:
        """The number of the reservation of an attempt, None where this database knows of none."""
        rows = self._database.fetch(
            "SELECT id FROM tvdb.requests WHERE request_key = %s AND attempt = %s", (key, attempt)
        )
        return rows[0][0] if rows else None

    def last_request(self) -> int:
        """The number of the newest request, 0 before the first: a mark for `sums_since`."""
        return self._database.fetch("SELECT coalesce(max(id), 0) FROM tvdb.requests")[0][0]

    def sums_since(self, mark: int, keys: Sequence[str]) -> Sums:
        """What was sent after `mark` for any of these documents, to any client, the mock included; refusals are not."""
        row = self._database.fetch(
            """SELECT coalesce(sum(inputs), 0)::bigint, count(*), coalesce(sum(cost_nano), 0)::bigint FROM tvdb.requests
               WHERE id > %s AND state NOT IN ('held', 'released')
                   AND id IN (SELECT request_id FROM tvdb.request_shares WHERE document_key = ANY(%s))""",
            (mark, list(keys)),
        )[0]
        return Sums(*row)

    def _now(self, conn: Connection) -> datetime:
        return self._clock() if self._clock is not None else server_time(conn)

    def _tidy(self, conn: Connection, now: datetime) -> int:
        """End what has lapsed, free what is due; how many. The request window must be locked."""
        return reservations.reap(conn, now, self.lengths.requests) + windows.free_slots(conn, now)

    def _admit(
        self, conn: Connection, order: Order, window: windows.RequestWindow, cost: int, rate: int, now: datetime
    ) -> None:
        """Take the slot and the money. Raises BudgetRefused, which undoes both."""
        limits = self.limits
        if order.kind == "retry" and window.retries >= window.retries_allowed(limits):
            raise BudgetRefused(
                "retry_budget", "Too many requests of this hour were repeats already; it is asked again later."
            )
        if not windows.take_slot(conn, limits.hourly_requests, order.kind):
            raise self._hour_refusal(reservations.slots(conn, now, self.lengths.requests).opens_at)
        passed("ledger.slot_taken")
        day = windows.day_of(now, self.lengths.dollars)
        if not windows.take_dollars(conn, day, cost, limits.daily_nano):
            raise self._day_refusal(day, sum(reservations.day_sums(conn, now, day)), rate)
        passed("ledger.dollars_taken")
        over = self._over_document_limit(conn, order.shares, rate)
        if over:
            raise BudgetRefused(
                "document_limit",
                f"Its vectors would cost more than {shown(limits.document_nano)} a document "
                "(TVDB_DOCUMENT_COST_LIMIT_USD); until the limit is raised it is found by full text.",
                documents=over,
            )

    def _refuse_if_full(self, conn: Connection, cost: int, rate: int, now: datetime) -> None:
        """Raise BudgetRefused where there is no room at this moment; nothing is locked."""
        slots = reservations.slots(conn, now, self.lengths.requests)
        if slots.used >= self.limits.hourly_requests:
            raise self._hour_refusal(slots.opens_at)
        day = windows.day_of(now, self.lengths.dollars)
        booked = sum(reservations.day_sums(conn, now, day))
        if booked + cost > self.limits.daily_nano:
            raise self._day_refusal(day, booked, rate)

    def _hour_refusal(self, opens: datetime | None) -> BudgetRefused:
        when = f" at {opens.astimezone(UTC):%H:%M} UTC" if opens else " once the limit is raised"
        return BudgetRefused(
            "hour_limit",
            f"The limit of {self.limits.hourly_requests} requests an hour is reached; it resumes by itself{when}.",
            opens,
        )

    def _day_refusal(self, day: datetime, booked: int, rate: int) -> BudgetRefused:
        opens = day + timedelta(seconds=self.lengths.dollars)
        return BudgetRefused(
            "day_limit",
            f"The daily limit of {shown(self.limits.daily_nano)} would be crossed; "
            f"it resumes by itself after {opens:%H:%M} UTC.",
            opens,
            tokens_left=max(self.limits.daily_nano - booked, 0) // max(rate, 1),
        )

    def _over_document_limit(self, conn: Connection, shares: Mapping[str, Share], rate: int) -> list[str]:
        booked = reservations.booked(conn, shares)
        return [
            key for key, share in shares.items() if booked.get(key, 0) + share.tokens * rate > self.limits.document_nano
        ]
