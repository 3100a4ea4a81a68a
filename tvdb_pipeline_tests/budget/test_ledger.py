"""The ledger: limits hold before anything is sent, and every nano-dollar is accounted for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import LiteralString

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.budget.ledger import BudgetRefused, BudgetState, Ledger, Limits, Order, Share
from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.mock import MOCK_MODEL
from tvdb_pipeline.errors import TvdbError

SMALL, LARGE = "text-embedding-3-small", "text-embedding-3-large"
WIDE = Limits(daily_nano=10**12, hourly_requests=10**6, document_nano=10**12)


def order(tokens: int, **shares: int) -> Order:
    """tokens, of which each document named causes so many."""
    return Order(max(len(shares), 1), tokens, "documents", {key: Share(1, part) for key, part in shares.items()})


def ledger(
    database: Database, *, daily_nano: int = WIDE.daily_nano, hourly_requests: int = WIDE.hourly_requests
) -> Ledger:
    return Ledger(database, Limits(daily_nano, hourly_requests, WIDE.document_nano))


def settle(database: Database, book: Ledger, number: int, tokens: int, model: str = SMALL) -> None:
    with database.connection() as conn:
        book.settle(conn, number, model, tokens)


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises(BudgetRefused) as caught:
        attempt()
    assert (caught.value.kind, caught.value.retryable) == ("budget", True)
    return caught.value.code


def test_a_reservation_is_held_until_it_is_settled(database: Database) -> None:
    book = ledger(database)
    number = book.reserve(SMALL, order(100))
    assert book.state() == BudgetState(0, 2000, 1)
    settle(database, book, number, 100)
    assert book.state() == BudgetState(2000, 0, 1)


def test_what_is_settled_is_what_the_answer_says(database: Database) -> None:
    book = ledger(database)
    settle(database, book, book.reserve(SMALL, order(100)), 90)
    assert book.state().spent_nano == 1800


def test_a_released_request_costs_nothing_but_was_a_request(database: Database) -> None:
    book = ledger(database)
    book.release(book.reserve(SMALL, order(100)))
    assert book.state() == BudgetState(0, 0, 1)


def test_an_unknown_outcome_is_spent_in_full(database: Database) -> None:
    book = ledger(database)
    book.charge_unknown(book.reserve(SMALL, order(100)))
    assert book.state() == BudgetState(2000, 0, 1)


def test_a_request_ends_once(database: Database) -> None:
    book = ledger(database)
    number = book.reserve(SMALL, order(100))
    settle(database, book, number, 100)
    book.release(number)
    book.charge_unknown(number)
    settle(database, book, number, 5)
    assert book.state() == BudgetState(2000, 0, 1)


def test_a_settlement_that_is_rolled_back_leaves_the_reservation(database: Database) -> None:
    book = ledger(database)
    number = book.reserve(SMALL, order(100))
    with suppress(RuntimeError), database.connection() as conn:
        book.settle(conn, number, SMALL, 100)
        raise RuntimeError
    assert book.state() == BudgetState(0, 2000, 1)


def test_the_day_limit_may_be_reached_and_not_crossed(database: Database) -> None:
    book = ledger(database, daily_nano=2000)
    assert refused(lambda: book.reserve(SMALL, order(101))) == "day_limit"
    assert book.state() == BudgetState(0, 0, 0)
    book.reserve(SMALL, order(100))
    assert refused(lambda: book.reserve(SMALL, order(1))) == "day_limit"


def test_what_is_spent_and_what_is_held_both_count(database: Database) -> None:
    book = ledger(database, daily_nano=6000)
    settle(database, book, book.reserve(SMALL, order(100)), 100)
    book.charge_unknown(book.reserve(SMALL, order(100)))
    number = book.reserve(SMALL, order(100))
    assert refused(lambda: book.reserve(SMALL, order(1))) == "day_limit"
    book.release(number)
    book.reserve(SMALL, order(100))


def test_the_price_is_that_of_the_model(database: Database) -> None:
    book = ledger(database, daily_nano=130)
    assert refused(lambda: book.reserve(LARGE, order(2))) == "day_limit"
    book.reserve(LARGE, order(1))


def test_a_model_without_a_price_is_refused_before_it_is_written_down(database: Database) -> None:
    book = ledger(database)
    with pytest.raises(TvdbError) as caught:
        book.reserve("unheard-of", order(1))
    assert caught.value.code == "unknown_price"
    assert book.state().requests_last_hour == 0


def test_the_hour_limit_counts_every_attempt_however_it_ended(database: Database) -> None:
    book = ledger(database, hourly_requests=4)
    settle(database, book, book.reserve(SMALL, order(1)), 1)
    book.release(book.reserve(SMALL, order(1)))
    book.charge_unknown(book.reserve(SMALL, order(1)))
    book.reserve(SMALL, order(1))
    assert refused(lambda: book.reserve(SMALL, order(1))) == "hour_limit"
    assert database.fetch("SELECT count(*) FROM tvdb.requests") == [(4,)]


@pytest.mark.parametrize("limits", [{"daily_nano": 0}, {"hourly_requests": 0}])
def test_a_limit_of_nothing_allows_nothing(database: Database, limits: dict[str, int]) -> None:
    assert refused(lambda: ledger(database, **limits).reserve(SMALL, order(1))) in ("day_limit", "hour_limit")


def earlier(database: Database, change: LiteralString) -> None:
    """Move everything written so far into the past."""
    database.run(f"UPDATE tvdb.requests SET {change}")


def test_the_hour_passes(database: Database) -> None:
    book = ledger(database, hourly_requests=1)
    settle(database, book, book.reserve(SMALL, order(1)), 1)
    earlier(database, "started_at = started_at - interval '61 minutes', ended_at = ended_at - interval '61 minutes'")
    book.reserve(SMALL, order(1))


def test_within_the_hour_it_does_not(database: Database) -> None:
    book = ledger(database, hourly_requests=1)
    settle(database, book, book.reserve(SMALL, order(1)), 1)
    earlier(database, "started_at = started_at - interval '59 minutes', ended_at = ended_at - interval '59 minutes'")
    assert refused(lambda: book.reserve(SMALL, order(1))) == "hour_limit"


def test_the_day_passes(database: Database) -> None:
    book = ledger(database, daily_nano=20)
    settle(database, book, book.reserve(SMALL, order(1)), 1)
    earlier(database, "day = day - 1")
    assert book.state().spent_nano == 0
    book.reserve(SMALL, order(1))


def test_a_request_whose_process_was_killed_does_not_use_up_the_hours_to_come(database: Database) -> None:
    book = ledger(database, hourly_requests=1)
    book.reserve(SMALL, order(1))
    earlier(database, "started_at = started_at - interval '5 hours'")
    book.reserve(SMALL, order(1))


def test_a_request_whose_process_was_killed_stays_paid_for_today(database: Database) -> None:
    book = ledger(database, daily_nano=2000)
    book.reserve(SMALL, order(100))
    earlier(database, "started_at = started_at - interval '5 hours'")
    assert refused(lambda: book.reserve(SMALL, order(1))) == "day_limit"


def test_no_limit_binds_the_mock_and_it_uses_none_up(database: Database) -> None:
    book = ledger(database, daily_nano=20, hourly_requests=1)
    for _ in range(3):
        settle(database, book, book.record_free(MOCK_MODEL, order(10**6, a=10**6)), 10**6, MOCK_MODEL)
    assert book.state() == BudgetState(0, 0, 0)
    book.reserve(SMALL, order(1))
    assert bills(database, ["a"])["a"].cost_nano == 0


def test_callers_at_the_same_moment_cannot_cross_a_limit_together(database: Database) -> None:
    book = ledger(database, daily_nano=5 * 2000, hourly_requests=1000)
    outcomes: list[bool] = []
    start = threading.Barrier(8)

    def spend() -> None:
        start.wait()
        for _ in range(2):
            try:
                book.reserve(SMALL, order(100))
                outcomes.append(True)
            except BudgetRefused:
                outcomes.append(False)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count(True), len(outcomes)) == (5, 16)
    assert book.state().held_nano == 10_000


def test_the_bills_of_documents_add_up_to_the_ledger(database: Database) -> None:
    book = ledger(database)
    settle(database, book, book.reserve(SMALL, order(100, a=60, b=40)), 100)
    settle(database, book, book.reserve(LARGE, order(50, b=50)), 50, LARGE)
    book.charge_unknown(book.reserve(SMALL, order(30, a=30)))
    book.release(book.reserve(SMALL, order(999, a=999)))
    book.reserve(SMALL, order(999, b=999))
    billed = bills(database, ["a", "b", "c"])
    assert set(billed) == {"a", "b"}
    assert (billed["a"].tokens, billed["a"].requests, billed["a"].cost_nano) == (90, 2, 90 * 20)
    assert (billed["b"].tokens, billed["b"].requests, billed["b"].cost_nano) == (90, 2, 40 * 20 + 50 * 130)
    assert sum(bill.cost_nano for bill in billed.values()) == book.state().spent_nano


def test_bills_add_up_where_the_provider_counted_otherwise(database: Database) -> None:
    book = ledger(database)
    settle(database, book, book.reserve(SMALL, order(100, a=60, b=40)), 110)
    billed = bills(database, ["a", "b"])
    assert sum(bill.cost_nano for bill in billed.values()) == book.state().spent_nano == 2200


def test_sums_since_a_mark_leave_out_what_came_before_and_others(database: Database) -> None:
    book = ledger(database)
    settle(database, book, book.reserve(SMALL, order(10, a=10)), 10)
    mark = book.last_request()
    settle(database, book, book.reserve(SMALL, order(30, a=20, b=10)), 30)
    settle(database, book, book.record_free(MOCK_MODEL, order(7, a=7)), 7, MOCK_MODEL)
    settle(database, book, book.reserve(SMALL, order(5, c=5)), 5)
    sums = book.sums_since(mark, ["a", "b"])
    assert (sums.texts, sums.requests, sums.cost_nano) == (3, 2, 600)


def test_the_mark_before_the_first_request_is_zero(database: Database) -> None:
    assert ledger(database).last_request() == 0


@dataclass(frozen=True)
class Step:
    """One thing a pipeline may do to the ledger: what, with which model, how many tokens, on which open request."""

    action: str
    model: str
    tokens: int
    pick: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["reserve", "reserve", "free", "settle", "release", "unknown"]),
        st.sampled_from([SMALL, LARGE]),
        st.integers(0, 4000),
        st.integers(0, 9),
    ),
    max_size=16,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.integers(0, 400_000), st.integers(0, 8))
def test_no_order_of_events_crosses_a_limit_or_loses_money(
    database: Database, steps: Sequence[Step], daily: int, hourly: int
) -> None:
    database.run("TRUNCATE tvdb.requests CASCADE")
    book, held, spent, requests = ledger(database, daily_nano=daily, hourly_requests=hourly), dict[int, Step](), 0, 0
    for step in steps:
        cost = price(step.model) * step.tokens
        holding = sum(price(open_.model) * open_.tokens for open_ in held.values())
        if step.action == "reserve":
            allowed = requests < hourly and spent + holding + cost <= daily
            try:
                held[book.reserve(step.model, order(step.tokens, a=step.tokens))] = step
                assert allowed
                requests += 1
            except BudgetRefused:
                assert not allowed
        elif step.action == "free":
            settle(database, book, book.record_free(MOCK_MODEL, order(step.tokens)), step.tokens, MOCK_MODEL)
        elif held:
            number = sorted(held)[step.pick % len(held)]
            ended = held.pop(number)
            if step.action == "settle":
                settle(database, book, number, ended.tokens, ended.model)
            elif step.action == "release":
                book.release(number)
            else:
                book.charge_unknown(number)
            spent += 0 if step.action == "release" else price(ended.model) * ended.tokens
        now = book.state()
        holding = sum(price(open_.model) * open_.tokens for open_ in held.values())
        assert now == BudgetState(spent, holding, requests)
        assert now.spent_nano + now.held_nano <= daily
    billed = bills(database, ["a"])
    assert (billed["a"].cost_nano if billed else 0) == spent
