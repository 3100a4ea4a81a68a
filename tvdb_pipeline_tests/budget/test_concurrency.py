"""Many at once: limits hold to the last slot, and nobody waits for each other in a circle."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import replace

import pytest

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetRefused, ReservationLapsed, Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline_tests.budget.bookkeeping import (
    HELD,
    SENT,
    SMALL,
    HandClock,
    order,
    refused,
    rows,
    sent,
    settle,
)

MakeLedger = Callable[..., Ledger]
THREADS = 8


def at_once(work: Callable[[int], None]) -> None:
    """Run `work` with the numbers of the threads, all of them starting together; raises what any of them raised."""
    start = threading.Barrier(THREADS)

    def begin(number: int) -> None:
        start.wait()
        work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in as_completed([pool.submit(begin, number) for number in range(THREADS)]):
            done.result()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"hourly_requests": 50}, "hour_limit"),
        ({"daily_nano": 50 * 2000}, "day_limit"),
        ({"document_nano": 50 * 2000}, "document_limit"),
        ({"retry_floor": 50, "retry_share": 0.0}, "retry_budget"),
    ],
)
def test_of_callers_at_the_same_moment_exactly_as_many_are_admitted_as_there_is_room_for(
    database: Database, make_ledger: MakeLedger, limits: dict[str, int], code: str
) -> None:
    book = make_ledger(**{"hourly_requests": 1000, **limits})
    outcomes: list[str] = []

    def spend(_: int) -> None:
        for _ in range(25):
            try:
                book.reserve(SMALL, order(100, a=100, kind="retry" if code == "retry_budget" else "first"))
                outcomes.append("admitted")
            except BudgetRefused as refusal:
                outcomes.append(refusal.code)

    at_once(spend)
    assert Counter(outcomes) == {"admitted": 50, code: 150}
    assert rows(database) == 50


def test_callers_of_the_same_attempt_get_the_same_reservation(database: Database, make_ledger: MakeLedger) -> None:
    book, numbers = make_ledger(), list[int]()
    at_once(lambda _: numbers.append(book.reserve(SMALL, order(100, naming=("k", 1)))))
    assert (len(set(numbers)), rows(database), book.state().held_nano) == (1, 1, 2000)


def test_of_senders_of_the_same_reservation_one_may_send(make_ledger: MakeLedger) -> None:
    book, may = make_ledger(), list[int]()
    reserved = book.reserve(SMALL, order(1))

    def send(number: int) -> None:
        with suppress(ReservationLapsed):
            book.mark_sent(reserved)
            may.append(number)

    at_once(send)
    assert len(may) == 1


def test_of_answers_to_the_same_request_one_is_booked(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger()
    number = sent(book, order(100))
    at_once(lambda thread: settle(database, book, number, 100 + thread))
    spent = database.fetch("SELECT spent_nano FROM tvdb.dollar_windows")
    assert spent == database.fetch("SELECT cost_nano FROM tvdb.requests WHERE state = 'settled'")


def test_reserving_sending_ending_and_tidying_at_once_never_wait_in_a_circle(
    database: Database, make_ledger: MakeLedger
) -> None:
    # Windows and leases so short that much of what happens meets something that has just run out.
    book = make_ledger(
        hourly_requests=40,
        lengths=Windows(requests=0.03, dollars=86_400, held_lease=0.02, sent_lease=0.03, send_within=0),
    )

    def live(thread: int) -> None:
        chance = random.Random(thread)
        for _ in range(40):
            with suppress(BudgetRefused, ReservationLapsed):
                number = book.reserve(SMALL, order(100, a=50, b=50))
                if chance.random() < 0.1:
                    continue
                book.mark_sent(number)
                how = chance.random()
                if how < 0.2:
                    book.charge_unknown(number)
                if how < 0.6:
                    settle(database, book, number, chance.choice([50, 100, 150]))
                elif how < 0.8:
                    book.release(number, reached=how < 0.7)
            if chance.random() < 0.3:
                book.reap()

    at_once(live)


def waiting(database: Database, many: int) -> None:
    """Wait until so many sessions of this database wait for a lock."""
    for _ in range(2000):
        found = database.fetch(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if found[0][0] == many:
            return
        time.sleep(0.005)
    raise AssertionError("nobody waits")


def test_tidying_does_not_wait_for_a_late_answer_that_waits_for_it(
    database: Database, make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(clock=clock)
    late = sent(book, order(100))
    clock.forward(SENT)
    book.reap()
    clock.forward(3600 - HELD)
    book.reserve(SMALL, order(100))
    clock.forward(HELD)
    # Due now: the slot of the charged one, and the lease of the other.
    with ThreadPoolExecutor(2) as pool:
        with database.connection() as conn:
            conn.execute("SELECT 1 FROM tvdb.dollar_windows FOR UPDATE")
            tidying = pool.submit(book.reap)
            waiting(database, 1)
            answering = pool.submit(settle, database, book, late, 90)
            waiting(database, 2)
        tidying.result()
        answering.result()
    book.reap()
    assert (book.state().spent_nano, book.state().held_nano, book.state().requests) == (1800, 0, 0)


def test_a_caller_does_not_wait_for_a_settlement_under_way(
    database: Database, make_ledger: MakeLedger, clock: HandClock
) -> None:
    """A lapsed request that is being settled at this moment is neither charged nor waited for, and keeps its slot."""
    book = make_ledger(hourly_requests=1, clock=clock)
    number = sent(book, order(100))
    clock.forward(SENT)
    with database.connection() as conn:
        book.settle(conn, number, SMALL, 90)
        assert refused(lambda: book.reserve(SMALL, order(1))).code == "hour_limit"
    assert (book.state().spent_nano, book.state().requests) == (1800, 1)


def test_a_limit_lowered_by_one_process_leaves_the_others_to_theirs(
    database: Database, make_ledger: MakeLedger
) -> None:
    wide = make_ledger(hourly_requests=10)
    narrow = Ledger(database, replace(wide.limits, hourly_requests=2), wide.lengths)
    for _ in range(3):
        wide.reserve(SMALL, order(1))
    assert refused(lambda: narrow.reserve(SMALL, order(1))).code == "hour_limit"
    wide.reserve(SMALL, order(1))
