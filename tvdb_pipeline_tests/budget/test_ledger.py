"""The life of a reservation: held, sent, ended once; and what was spent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetState, ReservationLapsed
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline_tests.budget.bookkeeping import (
    HELD,
    LARGE,
    NOON,
    REQUESTS,
    SENT,
    SMALL,
    HandClock,
    bought,
    order,
    refused,
    row,
    rows,
    sent,
    settle,
)

MakeLedger = Callable[..., Ledger]


@pytest.fixture
def book(make_ledger: MakeLedger, clock: HandClock) -> Ledger:
    """With wide limits."""
    return make_ledger(clock=clock)


def test_a_reservation_is_held_then_sent_then_settled(database: Database, book: Ledger) -> None:
    number = book.reserve(SMALL, order(100))
    assert row(database, number) == ("held", 100, 2000)
    assert (book.state().spent_nano, book.state().held_nano) == (0, 2000)
    book.mark_sent(number)
    assert row(database, number) == ("sent", 100, 2000)
    assert (book.state().spent_nano, book.state().held_nano) == (0, 2000)
    settle(database, book, number, 100)
    assert row(database, number) == ("settled", 100, 2000)
    assert (book.state().spent_nano, book.state().held_nano) == (2000, 0)


def test_it_may_be_sent_once(book: Ledger) -> None:
    number = sent(book, order(1))
    with pytest.raises(ReservationLapsed):
        book.mark_sent(number)


def test_what_was_never_sent_cannot_be_settled(database: Database, book: Ledger) -> None:
    number = book.reserve(SMALL, order(100))
    settle(database, book, number, 100)
    assert row(database, number) == ("held", 100, 2000)


@pytest.mark.parametrize("send", [False, True])
def test_a_released_reservation_costs_nothing(database: Database, book: Ledger, send: bool) -> None:
    number = book.reserve(SMALL, order(100, a=100))
    if send:
        book.mark_sent(number)
    book.release(number)
    assert row(database, number) == ("released", 0, 0)
    assert (book.state().spent_nano, book.state().held_nano) == (0, 0)
    with pytest.raises(ReservationLapsed):
        book.mark_sent(number)


def test_an_unknown_outcome_is_spent_in_full(database: Database, book: Ledger) -> None:
    number = sent(book, order(100))
    book.charge_unknown(number)
    assert row(database, number) == ("charged_unknown", 100, 2000)
    assert (book.state().spent_nano, book.state().held_nano) == (2000, 0)


def test_an_answer_found_after_all_corrects_what_was_charged(database: Database, book: Ledger) -> None:
    number = sent(book, order(100))
    book.charge_unknown(number)
    settle(database, book, number, 60)
    assert row(database, number) == ("settled", 60, 1200)
    assert book.state().spent_nano == 1200


def settled(database: Database, book: Ledger, number: int) -> None:
    settle(database, book, number, 7)


def released(database: Database, book: Ledger, number: int) -> None:
    book.release(number)


def released_unreached(database: Database, book: Ledger, number: int) -> None:
    book.release(number, reached=False)


def charged(database: Database, book: Ledger, number: int) -> None:
    book.charge_unknown(number)


@pytest.mark.parametrize(
    ("end", "more"),
    [
        (settled, settled), (settled, released), (settled, released_unreached), (settled, charged),
        (released, settled), (released, released_unreached), (released, charged),
        (charged, released), (charged, released_unreached), (charged, charged),
    ],
)  # fmt: skip
def test_what_has_ended_stays_as_it_is(
    database: Database, book: Ledger, clock: HandClock, end: Callable[..., None], more: Callable[..., None]
) -> None:
    number = sent(book, order(100))
    end(database, book, number)
    before = database.fetch("SELECT * FROM tvdb.requests"), database.fetch("SELECT * FROM tvdb.dollar_windows")
    clock.forward(1)
    more(database, book, number)
    after = database.fetch("SELECT * FROM tvdb.requests"), database.fetch("SELECT * FROM tvdb.dollar_windows")
    assert after == before


def test_a_settlement_that_is_rolled_back_leaves_it_sent(database: Database, book: Ledger) -> None:
    number = sent(book, order(100))
    with suppress(RuntimeError), database.connection() as conn:
        book.settle(conn, number, SMALL, 90)
        raise RuntimeError
    assert row(database, number) == ("sent", 100, 2000)
    assert (book.state().spent_nano, book.state().held_nano) == (0, 2000)
    settle(database, book, number, 90)
    assert (book.state().spent_nano, book.state().held_nano) == (1800, 0)


def test_fewer_tokens_than_reserved_give_the_difference_back(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger(daily_nano=2000)
    bought(database, book, order(100), 40)
    assert refused(lambda: book.reserve(SMALL, order(61))).code == "day_limit"
    book.reserve(SMALL, order(60))


def test_more_tokens_than_reserved_are_spent_and_noted_and_count(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger(daily_nano=4000)
    bought(database, book, order(100), 130)
    assert book.state().spent_nano == 2600
    assert database.fetch("SELECT overrun_nano FROM tvdb.dollar_windows") == [(600,)]
    assert refused(lambda: book.reserve(SMALL, order(71))).code == "day_limit"
    book.reserve(SMALL, order(70))


def test_a_bill_beyond_the_limit_is_booked_and_nothing_more_is_admitted(
    database: Database, make_ledger: MakeLedger
) -> None:
    book = make_ledger(daily_nano=2000)
    bought(database, book, order(100), 500)
    assert book.state().spent_nano == 10_000
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"
    assert refused(lambda: book.reserve(SMALL, order(0))).code == "day_limit"


def test_the_same_attempt_reserved_again_is_the_same_reservation(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger(hourly_requests=1, daily_nano=2000)
    number = book.reserve(SMALL, order(100, naming=("k", 1), a=100))
    assert book.reserve(SMALL, order(100, naming=("k", 1), a=100)) == number
    assert (rows(database), book.state().held_nano, book.state().requests) == (1, 2000, 1)
    book.mark_sent(number)


def test_another_attempt_is_another_reservation(book: Ledger) -> None:
    first = book.reserve(SMALL, order(1, naming=("k", 1)))
    assert len({first, book.reserve(SMALL, order(1, naming=("k", 2))), book.reserve(SMALL, order(1))}) == 3


@pytest.mark.parametrize("end", [None, settled, released, charged])
def test_an_attempt_that_was_sent_is_not_reserved_again(
    database: Database, book: Ledger, end: Callable[..., None] | None
) -> None:
    number = sent(book, order(100, naming=("k", 1)))
    if end is not None:
        end(database, book, number)
    before = row(database, number)
    with pytest.raises(ReservationLapsed):
        book.reserve(SMALL, order(100, naming=("k", 1)))
    assert (rows(database), row(database, number)) == (1, before)


def test_a_model_without_a_price_is_refused_before_it_is_written_down(database: Database, book: Ledger) -> None:
    with pytest.raises(TvdbError) as caught:
        book.reserve("unheard-of", order(1))
    assert caught.value.code == "unknown_price"
    assert (book.state().requests, rows(database)) == (0, 0)


def test_no_limit_binds_the_mock_and_it_uses_none_up(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger(daily_nano=20, hourly_requests=1, document_nano=20)
    for _ in range(3):
        number = book.record_free(MOCK_MODEL, order(10**6, a=10**6))
        assert row(database, number) == ("sent", 10**6, 0)
        settle(database, book, number, 10**6, MOCK_MODEL)
    assert book.state() == BudgetState(0, 0, 0, 0, None)
    book.reserve(SMALL, order(1, a=1))


def test_the_state_tells_todays_money_and_the_slots_in_use(database: Database, book: Ledger, clock: HandClock) -> None:
    assert book.state() == BudgetState(0, 0, 0, 0, None)
    bought(database, book, order(100))
    clock.forward(10)
    bought(database, book, order(10, kind="retry"), model=LARGE)
    sent(book, order(1))
    assert book.state() == BudgetState(3300, 20, 3, 1, NOON + timedelta(seconds=REQUESTS))
    clock.now = NOON + timedelta(seconds=REQUESTS - 1)
    book.reap()
    clock.forward(1)
    assert book.state() == BudgetState(3320, 0, 2, 1, NOON + timedelta(seconds=10 + REQUESTS))
    clock.forward(10)
    assert book.state() == BudgetState(3320, 0, 1, 0, NOON + timedelta(seconds=10 + SENT + REQUESTS))
    clock.forward(86_400)
    assert book.state() == BudgetState(0, 0, 0, 0, None)


@pytest.mark.parametrize("send", [False, True])
def test_the_state_is_that_after_tidying_where_a_lease_ran_out(book: Ledger, clock: HandClock, send: bool) -> None:
    number = book.reserve(SMALL, order(100, kind="retry"))
    if send:
        book.mark_sent(number)
    clock.forward(SENT if send else HELD)
    before = book.state()
    book.reap()
    assert before == book.state()


def test_sums_since_a_mark_leave_out_what_came_before_what_was_not_sent_and_others(
    database: Database, book: Ledger
) -> None:
    bought(database, book, order(10, a=10))
    mark = book.last_request()
    bought(database, book, order(30, a=20, b=10))
    settle(database, book, book.record_free(MOCK_MODEL, order(7, a=7)), 7, MOCK_MODEL)
    book.charge_unknown(sent(book, order(2, b=2)))
    book.release(sent(book, order(3, a=3)))
    book.reserve(SMALL, order(4, a=4))
    bought(database, book, order(5, c=5))
    sums = book.sums_since(mark, ["a", "b"])
    assert (sums.texts, sums.requests, sums.cost_nano) == (4, 3, 640)
    assert book.sums_since(book.last_request(), ["a", "b"]).requests == 0


def test_the_last_request_is_the_newest_and_zero_before_the_first(database: Database, book: Ledger) -> None:
    assert book.last_request() == 0
    bought(database, book, order(1))
    newest = book.record_free(MOCK_MODEL, order(1))
    assert book.last_request() == newest


def test_the_number_of_an_attempt_is_found_by_its_name(book: Ledger) -> None:
    number = book.reserve(SMALL, order(1, naming=("k", 2)))
    assert (book.number_of("k", 2), book.number_of("k", 1), book.number_of("j", 2)) == (number, None, None)


def test_without_a_clock_of_its_own_the_ledger_goes_by_the_databases(
    database: Database, make_ledger: MakeLedger
) -> None:
    book = make_ledger()
    before = database.fetch("SELECT clock_timestamp()")[0][0]
    bought(database, book, order(1))
    started, ended, freed, after = database.fetch(
        "SELECT started_at, ended_at, slot_until, clock_timestamp() FROM tvdb.requests"
    )[0]
    assert before <= started <= ended <= after
    assert freed == ended + timedelta(seconds=REQUESTS)


def test_while_the_database_cannot_be_reached_nothing_is_reserved(
    server_url: str, database: Database, book: Ledger
) -> None:
    hasty = Database(database.url, wait=1.0).open()
    book = Ledger(hasty, book.limits, book.lengths)
    name = database.fetch("SELECT current_database()")[0][0]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")  # pyright: ignore
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        with pytest.raises(psycopg.OperationalError):
            book.reserve(SMALL, order(1))
        conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")  # pyright: ignore
    hasty.close()
    assert rows(database) == 0
