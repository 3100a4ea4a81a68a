"""Leases: what becomes of reservations whose process was killed or came too late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetState, ReservationLapsed
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline_tests.budget.bookkeeping import (
    HELD,
    NOON,
    REQUESTS,
    SENT,
    SMALL,
    HandClock,
    order,
    refused,
    row,
    sent,
    settle,
)

MakeLedger = Callable[..., Ledger]
HOUR = timedelta(seconds=REQUESTS)


@pytest.fixture
def book(make_ledger: MakeLedger, clock: HandClock) -> Ledger:
    """With room for one reservation of 100 tokens."""
    return make_ledger(daily_nano=2000, hourly_requests=1, document_nano=2000, clock=clock)


def test_within_its_lease_a_reservation_is_left_alone(database: Database, book: Ledger, clock: HandClock) -> None:
    number = book.reserve(SMALL, order(100))
    clock.forward(HELD - 0.001)
    assert book.reap() == 0
    book.mark_sent(number)
    clock.forward(SENT - 0.001)
    assert book.reap() == 0
    assert row(database, number) == ("sent", 100, 2000)


@pytest.mark.parametrize("reaped", [False, True])
def test_once_its_lease_ran_out_it_must_not_be_sent(
    database: Database, book: Ledger, clock: HandClock, reaped: bool
) -> None:
    number = book.reserve(SMALL, order(100))
    clock.forward(HELD)
    if reaped:
        book.reap()
    with pytest.raises(ReservationLapsed):
        book.mark_sent(number)
    assert row(database, number)[0] in ("held", "released")
    assert book.reap() == (0 if reaped else 2)
    assert row(database, number) == ("released", 0, 0)


def test_a_lapsed_held_reservation_gives_back_its_money_and_its_slot_at_once(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = book.reserve(SMALL, order(100, a=100))
    clock.forward(HELD)
    book.reap()
    assert row(database, number) == ("released", 0, 0)
    assert book.state() == BudgetState(0, 0, 0, 0, None)
    book.reserve(SMALL, order(100, a=100))


def test_a_caller_finds_the_room_of_a_lapsed_reservation_without_anybody_tidying(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = book.reserve(SMALL, order(100, a=100))
    clock.forward(HELD)
    assert book.reserve(SMALL, order(100, a=100)) != number
    assert row(database, number) == ("released", 0, 0)


def test_a_lapsed_sent_request_is_charged_in_full_and_its_slot_counts_from_the_end_of_its_lease(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = sent(book, order(100, a=100))
    clock.forward(SENT + 1000)
    book.reap()
    assert row(database, number) == ("charged_unknown", 100, 2000)
    opens = NOON + timedelta(seconds=SENT) + HOUR
    assert book.state() == BudgetState(2000, 0, 1, 0, opens)
    assert refused(lambda: book.reserve(SMALL, order(0))).retry_at == opens
    clock.now = opens
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"
    assert book.state().requests == 0


def test_a_lapsed_sent_request_found_a_day_later_takes_no_slot_any_more(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = sent(book, order(100))
    clock.forward(86_400)
    book.reserve(SMALL, order(100))
    assert row(database, number) == ("charged_unknown", 100, 2000)


def test_an_answer_after_the_charge_corrects_it_and_leaves_the_slot(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = sent(book, order(100))
    clock.forward(SENT)
    book.reap()
    clock.forward(10)
    settle(database, book, number, 70)
    assert row(database, number) == ("settled", 70, 1400)
    assert book.state() == BudgetState(1400, 0, 1, 0, NOON + timedelta(seconds=SENT) + HOUR)
    settle(database, book, number, 10)
    assert row(database, number) == ("settled", 70, 1400)


def test_an_answer_after_the_charge_may_say_more_than_was_reserved(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = sent(book, order(100))
    clock.forward(SENT)
    book.reap()
    settle(database, book, number, 120)
    assert book.state().spent_nano == 2400
    assert database.fetch("SELECT overrun_nano FROM tvdb.dollar_windows") == [(400,)]


def test_an_answer_after_the_slot_has_freed_does_not_take_it_again(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = sent(book, order(100))
    clock.forward(SENT + REQUESTS)
    book.reap()
    settle(database, book, number, 50)
    assert (book.state().requests, book.state().spent_nano) == (0, 1000)


def test_an_answer_after_the_lease_settles_what_nobody_has_charged_yet(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = sent(book, order(100))
    clock.forward(SENT + 10)
    settle(database, book, number, 90)
    assert book.reap() == 0
    assert row(database, number) == ("settled", 90, 1800)


def test_the_attempt_whose_reservation_lapsed_is_not_reserved_again(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = book.reserve(SMALL, order(100, naming=("k", 1)))
    clock.forward(HELD)
    with pytest.raises(ReservationLapsed):
        book.reserve(SMALL, order(100, naming=("k", 1)))
    assert row(database, number) == ("released", 0, 0)
    book.reserve(SMALL, order(100, naming=("k", 2)))


def test_a_lapsed_request_to_the_mock_ends_outside_all_windows(
    database: Database, book: Ledger, clock: HandClock
) -> None:
    number = book.record_free(MOCK_MODEL, order(100, a=100))
    clock.forward(SENT)
    assert book.reap() == 1
    assert row(database, number) == ("charged_unknown", 100, 0)
    assert book.state() == BudgetState(0, 0, 0, 0, None)
    assert database.fetch("SELECT count(*) FROM tvdb.requests WHERE slot_until IS NOT NULL") == [(0,)]


def test_many_are_ended_at_once_each_in_its_own_way_and_day(
    database: Database, make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(clock=clock)
    for _ in range(2):
        book.reserve(SMALL, order(10))
        sent(book, order(100, kind="retry"))
        clock.forward(86_400)
    # What the second day found of the first it ended by itself.
    book.reap()
    spent = database.fetch("SELECT spent_nano, held_nano, overrun_nano FROM tvdb.dollar_windows ORDER BY starts")
    assert spent == [(2000, 0, 0), (2000, 0, 0)]
    assert database.fetch("SELECT state, count(*) FROM tvdb.requests GROUP BY 1 ORDER BY 1") == [
        ("charged_unknown", 2),
        ("released", 2),
    ]


def test_one_reap_ends_what_two_days_left_behind(database: Database, make_ledger: MakeLedger, clock: HandClock) -> None:
    book = make_ledger(clock=clock)
    clock.now = NOON + timedelta(hours=12, seconds=-5)
    book.reserve(SMALL, order(10))
    sent(book, order(100))
    clock.forward(10)
    book.reserve(SMALL, order(20))
    sent(book, order(200))
    clock.forward(SENT)
    book.reap()
    spent = database.fetch("SELECT spent_nano, held_nano, overrun_nano FROM tvdb.dollar_windows ORDER BY starts")
    assert spent == [(2000, 0, 0), (4000, 0, 0)]
