"""Whatever happens to attempts in whatever order: no limit is crossed, no room is lost, no nano-dollar is lost.

The ledger on a real database is driven at random beside a model of what the provider saw and billed (`provider_model`).
The examples are the same in every run and on every machine; to look further, change `derandomize` and `max_examples`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]
)

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetRefused, Limits, Order, ReservationLapsed, Share, Windows
from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline_tests.budget.bookkeeping import HELD, LARGE, REQUESTS, SENT, SMALL, disagreements, order, settle
from tvdb_pipeline_tests.budget.provider_model import DAY, LAG, Attempt, Model, moment

SEARCH = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
LENGTHS = Windows(requests=REQUESTS, dollars=DAY, held_lease=HELD, sent_lease=SENT, send_within=30)
LIMITS = st.builds(
    Limits,
    daily_nano=st.sampled_from([30_000, 10_000, 10_000, 4000, 2000, 0]),
    hourly_requests=st.sampled_from([20, 12, 8, 5, 2, 0]),
    document_nano=st.sampled_from([10**9, 10**9, 4000, 1000]),
    retry_share=st.sampled_from([0.0, 0.25, 0.5]),
    retry_floor=st.integers(0, 2),
)
DOCUMENTS = ["a", "b", "c"]
ORDERS = st.builds(
    lambda shares, kind: Order(
        max(len(shares), 1), sum(shares.values()) or 30, "documents" if shares else "query",
        {key: Share(1, tokens) for key, tokens in shares.items()}, kind=kind,
    ),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(1, 60), max_size=3),
    st.sampled_from(["first", "first", "retry", "bisection"]),
)  # fmt: skip
COUNTED = st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, 1.5, 4.0])
"""The tokens the provider counts, as a part of those reserved."""


@dataclass(frozen=True)
class Wanted:
    """An order, how many steps its owner and the provider go on with it at once, and what the provider counts."""

    order: Order
    model: str
    steps: int
    counted: float


WANTED = st.builds(Wanted, ORDERS, st.sampled_from([SMALL, SMALL, LARGE]), st.integers(0, 3), COUNTED)


class LedgerMachine(RuleBasedStateMachine):
    """Owners, provider and clock at random."""

    attempts = Bundle("attempts")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        with database.connection() as conn:
            conn.execute("DELETE FROM tvdb.requests")
            conn.execute("DELETE FROM tvdb.dollar_windows")
            conn.execute("UPDATE tvdb.request_window SET used = 0, retries = 0, capacity = 0")
        self.model = Model(Limits(30_000, 12, 10**9, retry_share=0.25, retry_floor=1))
        self.book = Ledger(database, self.model.limits, LENGTHS, lambda: moment(self.model.shown))

    # Owners.

    @initialize(target=attempts, wanted=st.lists(WANTED, min_size=2, max_size=4))
    def begin(self, wanted: list[Wanted]) -> MultipleResults[Attempt]:
        return self.reserve_each(wanted)

    @rule(target=attempts, wanted=st.lists(WANTED, min_size=1, max_size=4))
    def reserve(self, wanted: list[Wanted]) -> MultipleResults[Attempt]:
        return self.reserve_each(wanted)

    @rule(target=attempts, beyond=st.integers(0, 1), steps=st.integers(0, 3))
    def reserve_the_rest_of_the_day(self, beyond: int, steps: int) -> MultipleResults[Attempt]:
        """All that is left, or a token more."""
        self.model.tidy()
        left = self.model.limits.daily_nano - self.model.spent(self.model.day) - self.model.held(self.model.day)
        tokens = max(0, left) // price(SMALL) + beyond
        return self.reserve_each([Wanted(Order(1, tokens, "query"), SMALL, steps, 1.0)])

    def reserve_each(self, wanted: list[Wanted]) -> MultipleResults[Attempt]:
        """Those admitted: all for which there is room and no other."""
        return multiple(*(attempt for one in wanted if (attempt := self.reserve_one(one)) is not None))

    def reserve_one(self, wanted: Wanted) -> Attempt | None:
        """Reserve, and go on at once by so many steps; None if there is no room."""
        self.model.tidy()
        try:
            number = self.book.reserve(wanted.model, wanted.order)
        except BudgetRefused as refusal:
            self.check(refusal, self.model.violated(wanted.model, wanted.order, surely=False))
            assert self.book.number_of(wanted.order.key, wanted.order.attempt) is None
            return None
        assert not self.model.violated(wanted.model, wanted.order, surely=True)
        attempt = self.model.admit(wanted.model, wanted.order, number)
        for step in (self.mark_sent, lambda one: self.arrive(one, wanted.counted), self.hear_answer)[: wanted.steps]:
            step(attempt)
        return attempt

    def check(self, refusal: BudgetRefused, violated: set[str]) -> None:
        """There was no room, and it says when there will be."""
        assert refusal.code in violated
        if refusal.code == "day_limit":
            assert refusal.retry_at == moment((self.model.day + 1) * DAY)
        # While one is held nobody can say.
        if refusal.code == "hour_limit" and not any(each.state == "held" for each in self.model.attempts):
            assert refusal.retry_at == moment(self.model.opens())

    @rule(attempt=attempts)
    def reserve_again(self, attempt: Attempt) -> None:
        self.model.tidy()
        if attempt.state == "held":
            assert self.book.reserve(attempt.model, attempt.order) == attempt.number
        else:
            with pytest.raises(ReservationLapsed):
                self.book.reserve(attempt.model, attempt.order)

    @rule(attempt=attempts)
    def mark_sent(self, attempt: Attempt) -> None:
        if self.model.may_send(attempt):
            self.book.mark_sent(attempt.number)
            self.model.send(attempt)
        else:
            with pytest.raises(ReservationLapsed):
                self.book.mark_sent(attempt.number)

    @rule(attempt=attempts, late=st.booleans())
    def send_when_the_lease_runs_out(self, attempt: Attempt, late: bool) -> None:
        """In its last second, or in the first one after it, before anybody has tidied."""
        if attempt.state == "held" and attempt.lease is not None and attempt.lease > self.model.shown:
            self.model.time += attempt.lease - self.model.shown - (not late)
            self.mark_sent(attempt)

    @rule(attempt=attempts)
    def hear_answer(self, attempt: Attempt) -> None:
        """At once, late, or found on a slip after a crash."""
        if attempt.answered:
            settle(self.database, self.book, attempt.number, attempt.billed, attempt.model)
            self.model.settle(attempt, attempt.billed)

    @rule(attempt=attempts)
    def lose_the_settlement(self, attempt: Attempt) -> None:
        if attempt.answered:
            with suppress(RuntimeError), self.database.connection() as conn:
                self.book.settle(conn, attempt.number, attempt.model, attempt.billed)
                raise RuntimeError

    @rule(attempt=attempts, tokens=st.integers(0, 200))
    def settle_what_has_ended(self, attempt: Attempt, tokens: int) -> None:
        if attempt.state in ("held", "settled", "released"):
            settle(self.database, self.book, attempt.number, tokens, attempt.model)

    @rule(attempt=attempts)
    def hear_refusal(self, attempt: Attempt) -> None:
        if attempt.arrived_at is not None and not attempt.answered and not attempt.billed:
            self.book.release(attempt.number)
            self.model.release(attempt, reached=True)

    @rule(attempt=attempts)
    def not_reach_the_provider(self, attempt: Attempt) -> None:
        if attempt.arrived_at is None:
            attempt.given_up = True
            self.book.release(attempt.number, reached=False)
            self.model.release(attempt, reached=False)

    @rule(attempt=attempts)
    def lose_the_outcome(self, attempt: Attempt) -> None:
        self.book.charge_unknown(attempt.number)
        self.model.charge(attempt)

    @rule(attempt=attempts)
    def end_what_has_ended(self, attempt: Attempt) -> None:
        if not attempt.open:
            self.book.release(attempt.number)
            self.book.release(attempt.number, reached=False)
            self.book.charge_unknown(attempt.number)

    @rule(kept=st.booleans(), tokens=st.integers(0, 10**6))
    def ask_the_mock(self, kept: bool, tokens: int) -> None:
        number = self.book.record_free(MOCK_MODEL, order(tokens, a=tokens))
        if kept:
            settle(self.database, self.book, number, tokens, MOCK_MODEL)

    # The provider. What crashes is simply not driven any further, wherever it stands.

    @rule(attempt=attempts, counted=COUNTED)
    def arrive(self, attempt: Attempt, counted: float) -> None:
        """The provider gets the request, bills it and answers."""
        if self.model.may_arrive(attempt):
            attempt.arrived_at, attempt.answered = self.model.time, True
            attempt.billed = int(attempt.order.tokens * counted)

    @rule(attempt=attempts, billed=st.booleans())
    def arrive_without_answer(self, attempt: Attempt, billed: bool) -> None:
        """It refuses the request, or bills it and the answer is lost."""
        if self.model.may_arrive(attempt):
            attempt.arrived_at = self.model.time
            attempt.billed = attempt.order.tokens if billed else 0

    # The clock and the limits.

    @rule(seconds=st.sampled_from([1, 20, HELD - 1, HELD, SENT, 600, REQUESTS - SENT, REQUESTS, 3 * REQUESTS]))
    def let_time_pass(self, seconds: int) -> None:
        self.model.time += seconds

    @rule()
    def let_an_hour_pass(self) -> None:
        self.model.time += REQUESTS + SENT

    @rule(nth=st.integers(0, 5), before=st.integers(0, 1))
    def let_time_pass_to_a_deadline(self, nth: int, before: int) -> None:
        if deadlines := self.model.deadlines()[: nth + 1]:
            self.model.time += max(0, deadlines[-1] - before - self.model.shown)

    @rule(before=st.integers(0, 2))
    def let_time_pass_to_midnight(self, before: int) -> None:
        self.model.time = max(self.model.time, (self.model.day + 1) * DAY - before)

    @rule(lag=st.integers(0, LAG))
    def step_the_clock(self, lag: int) -> None:
        """Back, also over midnight, or forth again."""
        self.model.lag = lag

    @rule(limits=LIMITS)
    def change_the_limits(self, limits: Limits) -> None:
        self.model.limits = self.book.limits = limits

    @rule(hourly=st.integers(0, 8))
    def change_the_hours_limit(self, hourly: int) -> None:
        self.model.limits = self.book.limits = replace(self.model.limits, hourly_requests=hourly)

    @rule()
    def reap(self) -> None:
        self.book.reap()
        self.model.tidy()

    @rule()
    def let_two_leases_pass(self) -> None:
        self.model.time += HELD + SENT + LAG
        self.reap()
        assert self.database.fetch("SELECT count(*) FROM tvdb.requests WHERE state IN ('held', 'sent')") == [(0,)]

    # What always holds.

    @invariant()
    def everything_agrees(self) -> None:
        self.ledger_and_model_agree()
        self.provider_and_ledger_agree()
        self.no_hour_saw_more_arrivals_than_allowed()

    def ledger_and_model_agree(self) -> None:
        model = self.model
        rows = self.database.fetch(
            """SELECT r.id, r.state, r.cost_nano, r.lease_until, r.slot_until, d.starts, d.spent_nano, d.held_nano,
                      d.overrun_nano, w.used, w.retries
               FROM tvdb.request_window w LEFT JOIN tvdb.requests r ON r.paid
                    LEFT JOIN tvdb.dollar_windows d ON d.starts = r.day_starts ORDER BY r.id"""
        )
        slots = [each.order.kind for each in model.attempts if each.takes_slot]
        assert {row[9:] for row in rows} == {(len(slots), slots.count("retry"))}
        assert [row[:5] for row in rows if row[0]] == [
            (each.number, each.state, each.booked, moment(each.lease), moment(each.slot_until))
            for each in model.attempts
        ]
        assert {row[5:9] for row in rows if row[0]} == {
            (moment(day * DAY), model.spent(day), model.held(day), model.overrun(day)) for day in model.day_limits
        }

    def provider_and_ledger_agree(self) -> None:
        """No bill beyond the limit and what the provider counted on top; none the ledger does not know."""
        for day, limit in self.model.day_limits.items():
            booked = [each for each in self.model.attempts if each.day == day]
            ledger, bill = sum(each.booked for each in booked), sum(each.bill for each in booked)
            extra = sum(max(0, each.bill - each.reserved) for each in booked)
            untold = sum(max(0, each.bill - each.reserved) for each in booked if each.state != "settled")
            assert bill <= limit + extra
            assert bill <= ledger + untold
            if all(each.state in ("settled", "released") for each in booked):
                assert bill == ledger

    def no_hour_saw_more_arrivals_than_allowed(self) -> None:
        """The clock may lag, so that a true hour is shorter by as much."""
        arrived = sorted((each.arrived_at, each.hourly_limit) for each in self.model.attempts if each.arrived_at)
        for start, _ in arrived:
            limits = [limit for time, limit in arrived if start <= time < start + REQUESTS - LAG]
            assert len(limits) <= max(limits)

    def teardown(self) -> None:
        """After everybody has gone and an hour has passed, no slot is taken, and documents and queries bear the whole bill."""
        self.let_two_leases_pass()
        self.everything_agrees()
        assert disagreements(self.database) == []
        self.model.time += REQUESTS + SENT
        self.reap()
        assert self.database.fetch("SELECT used, retries FROM tvdb.request_window") == [(0, 0)]
        queries = sum(each.booked for each in self.model.attempts if not each.order.shares)
        billed = sum(bill.cost_nano for bill in bills(self.database, DOCUMENTS).values())
        assert billed + queries == sum(self.model.spent(day) for day in self.model.day_limits)


@pytest.fixture
def quick_database(database_url: str) -> Iterator[Database]:
    """Without waiting for the disk: nothing here is about crashes of the server."""
    opened = Database(f"{database_url}&options=-csynchronous_commit%3Doff").open()
    yield opened
    opened.close()


def test_no_order_of_events_crosses_a_limit_or_loses_room_or_money(quick_database: Database) -> None:
    run_state_machine_as_test(lambda: LedgerMachine(quick_database), settings=SEARCH)
