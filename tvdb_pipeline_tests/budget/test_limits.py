"""The limits: never crossed, used in full, and a refusal takes nothing and says when there will be room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline_tests.budget.bookkeeping import (
    HELD,
    LARGE,
    MIDNIGHT,
    NOON,
    REQUESTS,
    SENT,
    SMALL,
    HandClock,
    bought,
    order,
    refused,
    rows,
    sent,
    settle,
)
from tvdb_pipeline_tests.conftest import HOUR_AND_DAY

MakeLedger = Callable[..., Ledger]
HOUR = timedelta(seconds=REQUESTS)


# The hour.


def test_the_hour_limit_counts_every_attempt_that_reached_the_provider_however_it_ended(
    database: Database, make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(hourly_requests=5, clock=clock)
    bought(database, book, order(1))
    book.release(sent(book, order(1)))
    book.charge_unknown(sent(book, order(1)))
    sent(book, order(1))
    book.reserve(SMALL, order(1))
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "hour_limit"
    assert rows(database) == 5


def test_a_slot_frees_an_hour_after_its_attempt_ended_and_not_before(
    database: Database, make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(hourly_requests=1, clock=clock)
    number = sent(book, order(1))
    ended = clock.forward(20)
    settle(database, book, number, 1)
    clock.now = ended + HOUR - timedelta(milliseconds=1)
    refusal = refused(lambda: book.reserve(SMALL, order(1)))
    assert (refusal.code, refusal.retry_at) == ("hour_limit", ended + HOUR)
    clock.now = ended + HOUR
    book.reserve(SMALL, order(1))


def test_the_hour_is_a_rolling_one(database: Database, make_ledger: MakeLedger, clock: HandClock) -> None:
    book = make_ledger(hourly_requests=3, clock=clock)
    for _ in range(3):
        bought(database, book, order(1))
        clock.forward(600)
    for free in range(3):
        refusal = refused(lambda: book.reserve(SMALL, order(1)))
        assert refusal.retry_at == NOON + timedelta(seconds=600 * free) + HOUR
        clock.now = refusal.retry_at
        bought(database, book, order(1))


@pytest.mark.parametrize("send", [False, True])
def test_an_attempt_that_did_not_reach_the_provider_frees_its_slot_at_once(
    make_ledger: MakeLedger, clock: HandClock, send: bool
) -> None:
    book = make_ledger(hourly_requests=1, clock=clock)
    for _ in range(3):
        number = book.reserve(SMALL, order(1))
        if send:
            book.mark_sent(number)
        book.release(number, reached=False)
    assert book.state().requests == 0


def test_a_refused_attempt_that_reached_the_provider_keeps_its_slot(make_ledger: MakeLedger, clock: HandClock) -> None:
    book = make_ledger(hourly_requests=1, clock=clock)
    book.release(sent(book, order(1)))
    refusal = refused(lambda: book.reserve(SMALL, order(1)))
    assert (refusal.code, refusal.retry_at) == ("hour_limit", NOON + HOUR)


def test_a_request_that_may_still_be_on_its_way_keeps_its_slot_from_the_end_of_its_lease(
    make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(hourly_requests=1, clock=clock)
    number = sent(book, order(1))
    clock.forward(5)
    book.charge_unknown(number)
    assert refused(lambda: book.reserve(SMALL, order(1))).retry_at == NOON + timedelta(seconds=SENT) + HOUR


def test_while_all_slots_are_held_the_next_frees_when_a_lease_runs_out(
    make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(hourly_requests=1, clock=clock)
    book.reserve(SMALL, order(1))
    clock.forward(1)
    refusal = refused(lambda: book.reserve(SMALL, order(1)))
    assert refusal.retry_at == NOON + timedelta(seconds=HELD)
    clock.now = NOON + timedelta(seconds=HELD)
    book.reserve(SMALL, order(1))


def test_while_all_slots_are_on_their_way_the_next_frees_an_hour_after_a_lease_runs_out(
    make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(hourly_requests=1, clock=clock)
    sent(book, order(1))
    opens = NOON + timedelta(seconds=SENT) + HOUR
    assert refused(lambda: book.reserve(SMALL, order(1))).retry_at == opens
    clock.now = opens
    book.reserve(SMALL, order(1))


def test_a_refusal_names_the_hour_in_utc_whatever_the_zone_of_the_server(
    database_url: str, make_ledger: MakeLedger, clock: HandClock
) -> None:
    elsewhere = Database(f"{database_url}&options=-ctimezone%3DAsia/Tokyo").open()
    try:
        book = Ledger(elsewhere, make_ledger(hourly_requests=1).limits, HOUR_AND_DAY, clock)
        bought(elsewhere, book, order(1))
        refusal = refused(lambda: book.reserve(SMALL, order(1)))
    finally:
        elsewhere.close()
    assert refusal.retry_at == NOON + HOUR
    assert "13:00 UTC" in refusal.message


def test_the_hour_limit_may_be_raised_and_lowered(
    database: Database, make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(hourly_requests=2, clock=clock)
    numbers = [sent(book, order(1)) for _ in range(2)]
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "hour_limit"
    book.limits = replace(book.limits, hourly_requests=4)
    numbers += [sent(book, order(1)) for _ in range(2)]
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "hour_limit"
    book.limits = replace(book.limits, hourly_requests=1)
    for number in numbers:
        settle(database, book, number, 1)
        clock.forward(1)
    clock.now = NOON + HOUR + timedelta(seconds=2)
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "hour_limit"
    assert book.state().requests == 1
    clock.forward(1)
    book.reserve(SMALL, order(1))


# The day.


def test_the_day_limit_may_be_reached_and_not_crossed(make_ledger: MakeLedger) -> None:
    book = make_ledger(daily_nano=2000)
    assert refused(lambda: book.reserve(SMALL, order(101))).code == "day_limit"
    book.reserve(SMALL, order(60))
    assert refused(lambda: book.reserve(SMALL, order(41))).code == "day_limit"
    book.reserve(SMALL, order(40))
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"


def test_the_price_is_that_of_the_model(make_ledger: MakeLedger) -> None:
    book = make_ledger(daily_nano=130)
    assert refused(lambda: book.reserve(LARGE, order(2))).code == "day_limit"
    book.reserve(LARGE, order(1))


def test_what_is_spent_charged_and_held_all_count_and_what_is_released_does_not(
    database: Database, make_ledger: MakeLedger
) -> None:
    book = make_ledger(daily_nano=6000)
    bought(database, book, order(100))
    book.charge_unknown(sent(book, order(100)))
    number = book.reserve(SMALL, order(100))
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"
    book.release(number)
    book.reserve(SMALL, order(100))


def test_a_new_day_begins_at_midnight_utc(database: Database, make_ledger: MakeLedger, clock: HandClock) -> None:
    book = make_ledger(daily_nano=20, clock=clock)
    bought(database, book, order(1))
    clock.now = MIDNIGHT - timedelta(milliseconds=1)
    refusal = refused(lambda: book.reserve(SMALL, order(1)))
    assert (refusal.code, refusal.retry_at) == ("day_limit", MIDNIGHT)
    clock.now = MIDNIGHT
    assert book.state().spent_nano == 0
    bought(database, book, order(1))


@pytest.mark.parametrize("how", ["settled", "charged", "released", "reaped"])
def test_across_midnight_it_is_booked_in_the_day_it_was_reserved_in(
    database: Database, make_ledger: MakeLedger, clock: HandClock, how: str
) -> None:
    book = make_ledger(daily_nano=2000, clock=clock)
    clock.now = MIDNIGHT - timedelta(seconds=1)
    number = sent(book, order(100))
    clock.now = MIDNIGHT + timedelta(seconds=1)
    if how == "settled":
        settle(database, book, number, 90)
    elif how == "charged":
        book.charge_unknown(number)
    elif how == "released":
        book.release(number)
    else:
        clock.forward(SENT)
        book.reap()
    spent = {"settled": 1800, "charged": 2000, "released": 0, "reaped": 2000}[how]
    assert database.fetch("SELECT starts, spent_nano, held_nano FROM tvdb.dollar_windows") == [
        (MIDNIGHT - timedelta(days=1), spent, 0)
    ]
    assert (book.state().spent_nano, book.state().held_nano) == (0, 0)
    book.reserve(SMALL, order(100))


def test_the_day_limit_may_be_raised_and_lowered(database: Database, make_ledger: MakeLedger, clock: HandClock) -> None:
    book = make_ledger(daily_nano=2000, clock=clock)
    first = sent(book, order(100))
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"
    book.limits = replace(book.limits, daily_nano=4000)
    second = sent(book, order(100))
    book.limits = replace(book.limits, daily_nano=1000)
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"
    settle(database, book, first, 100)
    book.release(second)
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"
    book.limits = replace(book.limits, daily_nano=2020)
    book.reserve(SMALL, order(1))
    assert refused(lambda: book.reserve(SMALL, order(1))).code == "day_limit"


@pytest.mark.parametrize(
    ("limits", "code"), [({"daily_nano": 0}, "day_limit"), ({"hourly_requests": 0}, "hour_limit"),
                         ({"document_nano": 0}, "document_limit")]
)  # fmt: skip
def test_a_limit_of_nothing_allows_nothing(make_ledger: MakeLedger, limits: dict[str, int], code: str) -> None:
    assert refused(lambda: make_ledger(**limits).reserve(SMALL, order(1, a=1))).code == code


# The document.


def test_the_document_limit_may_be_reached_and_not_crossed(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger(document_nano=2000)
    bought(database, book, order(70, a=50, b=20))
    refusal = refused(lambda: book.reserve(SMALL, order(132, a=51, b=81)))
    assert (refusal.code, sorted(refusal.documents), refusal.retry_at) == ("document_limit", ["a", "b"], None)
    assert refused(lambda: book.reserve(SMALL, order(131, a=51, b=80))).documents == ("a",)
    bought(database, book, order(130, a=50, b=80))
    assert refused(lambda: book.reserve(SMALL, order(1, b=1))).documents == ("b",)
    book.reserve(SMALL, order(1))


def test_what_is_charged_and_held_counts_for_the_document_and_what_is_released_does_not(
    make_ledger: MakeLedger,
) -> None:
    book = make_ledger(document_nano=6000)
    book.charge_unknown(sent(book, order(100, a=100)))
    sent(book, order(100, a=100))
    number = book.reserve(SMALL, order(100, a=100))
    assert refused(lambda: book.reserve(SMALL, order(1, a=1))).code == "document_limit"
    book.release(number)
    book.reserve(SMALL, order(100, a=100))


def test_the_document_limit_may_be_raised_and_lowered(make_ledger: MakeLedger) -> None:
    book = make_ledger(document_nano=2000)
    book.reserve(SMALL, order(100, a=100))
    assert refused(lambda: book.reserve(SMALL, order(1, a=1))).code == "document_limit"
    book.limits = replace(book.limits, document_nano=2020)
    book.reserve(SMALL, order(1, a=1))
    book.limits = replace(book.limits, document_nano=20)
    assert refused(lambda: book.reserve(SMALL, order(1, a=1))).code == "document_limit"
    book.reserve(SMALL, order(1, b=1))


def test_the_document_limit_is_not_a_days(database: Database, make_ledger: MakeLedger, clock: HandClock) -> None:
    book = make_ledger(document_nano=2000, clock=clock)
    bought(database, book, order(100, a=100))
    clock.forward(2 * 86_400)
    assert refused(lambda: book.reserve(SMALL, order(1, a=1))).code == "document_limit"


def test_what_the_provider_billed_beyond_the_reservation_counts_for_the_document(
    database: Database, make_ledger: MakeLedger
) -> None:
    book = make_ledger(document_nano=2000)
    bought(database, book, order(50, a=50), 100)
    assert refused(lambda: book.reserve(SMALL, order(1, a=1))).code == "document_limit"


def test_what_the_provider_billed_less_than_reserved_is_free_again_for_the_document(
    database: Database, make_ledger: MakeLedger
) -> None:
    book = make_ledger(document_nano=2000)
    bought(database, book, order(100, a=60, b=40), 50)
    book.reserve(SMALL, order(70, a=70))


# The retry budget.


def test_retries_are_a_share_of_the_attempts_of_the_window(database: Database, make_ledger: MakeLedger) -> None:
    book, retries, attempts = make_ledger(retry_share=0.25, retry_floor=0), 0, 0
    for _ in range(16):
        while retries + 1 <= 0.25 * (attempts + 1):
            bought(database, book, order(1, kind="retry"))
            retries, attempts = retries + 1, attempts + 1
        assert refused(lambda: book.reserve(SMALL, order(1, kind="retry"))).code == "retry_budget"
        bought(database, book, order(1))
        attempts += 1
    assert (book.state().retries, book.state().requests) == (retries, attempts) == (5, 21)


def test_a_floor_of_retries_is_always_allowed_and_frees_with_the_window(
    database: Database, make_ledger: MakeLedger, clock: HandClock
) -> None:
    book = make_ledger(retry_share=0.0, retry_floor=2, clock=clock)
    for _ in range(2):
        bought(database, book, order(1, kind="retry"))
        clock.forward(1)
    for _ in range(20):
        bought(database, book, order(1))
    assert refused(lambda: book.reserve(SMALL, order(1, kind="retry"))).code == "retry_budget"
    clock.now = NOON + HOUR
    bought(database, book, order(1, kind="retry"))
    assert refused(lambda: book.reserve(SMALL, order(1, kind="retry"))).code == "retry_budget"


def test_a_search_for_a_refused_input_is_outside_the_retry_budget(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger(retry_share=0.0, retry_floor=1)
    bought(database, book, order(1, kind="retry"))
    for _ in range(10):
        bought(database, book, order(1, kind="bisection"))
    assert book.state().retries == 1
    assert refused(lambda: book.reserve(SMALL, order(1, kind="retry"))).code == "retry_budget"


@pytest.mark.parametrize("kind", ["retry", "bisection"])
@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"hourly_requests": 1}, "hour_limit"),
        ({"daily_nano": 20}, "day_limit"),
        ({"document_nano": 20}, "document_limit"),
    ],
)
def test_every_kind_is_inside_all_limits(
    database: Database, make_ledger: MakeLedger, kind: str, limits: dict[str, int], code: str
) -> None:
    book = make_ledger(**limits)
    bought(database, book, order(1, a=1))
    assert refused(lambda: book.reserve(SMALL, order(1, kind=kind, a=1))).code == code


# Refusals, and the barrier behind them.


@pytest.mark.parametrize(
    ("limits", "kind", "code"),
    [
        ({"hourly_requests": 1}, "first", "hour_limit"),
        ({"daily_nano": 2000}, "first", "day_limit"),
        ({"document_nano": 2000}, "first", "document_limit"),
        ({"retry_floor": 0, "retry_share": 0.0}, "retry", "retry_budget"),
    ],
)
def test_a_refusal_takes_nothing(
    database: Database, make_ledger: MakeLedger, limits: dict[str, int], kind: str, code: str
) -> None:
    book = make_ledger(**limits)
    bought(database, book, order(100, a=100))
    before, windows = book.state(), database.fetch("SELECT * FROM tvdb.request_window, tvdb.dollar_windows")
    assert refused(lambda: book.reserve(SMALL, order(1, kind=kind, naming=("k", 1), a=1))).code == code
    assert (book.state(), rows(database), book.number_of("k", 1)) == (before, 1, None)
    assert database.fetch("SELECT * FROM tvdb.request_window, tvdb.dollar_windows") == windows


def test_what_a_refused_caller_found_lapsed_stays_tidied(make_ledger: MakeLedger, clock: HandClock) -> None:
    book = make_ledger(daily_nano=2000, clock=clock)
    book.reserve(SMALL, order(100))
    clock.forward(HELD)
    assert refused(lambda: book.reserve(SMALL, order(101))).code == "day_limit"
    assert book.reap() == 0


@pytest.mark.parametrize(
    "beyond",
    [
        "UPDATE tvdb.request_window SET used = capacity + 1",
        "UPDATE tvdb.request_window SET used = used + 1",
        "UPDATE tvdb.request_window SET used = -1",
        "UPDATE tvdb.request_window SET retries = used + 1",
        "INSERT INTO tvdb.request_window (only_row, used, retries, capacity) VALUES (false, 0, 0, 9)",
        "UPDATE tvdb.dollar_windows SET spent_nano = spent_nano + 1",
        "UPDATE tvdb.dollar_windows SET held_nano = held_nano + 1",
        "UPDATE tvdb.dollar_windows SET held_nano = -1",
        "UPDATE tvdb.dollar_windows SET spent_nano = -1",
        "UPDATE tvdb.dollar_windows SET overrun_nano = -1",
    ],
)
def test_the_tables_themselves_refuse_what_goes_beyond_a_limit(
    database: Database, make_ledger: MakeLedger, beyond: LiteralString
) -> None:
    book = make_ledger(hourly_requests=2, daily_nano=4000)
    bought(database, book, order(100))
    book.reserve(SMALL, order(100))
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run(beyond)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tvdb.requests SET lease_until = NULL",
        "UPDATE tvdb.requests SET state = 'settled'",
        "UPDATE tvdb.requests SET slot_until = now()",
        "UPDATE tvdb.requests SET attempt = 0",
        "UPDATE tvdb.requests SET kind = 'other'",
    ],
)
def test_the_table_refuses_a_reservation_that_is_neither_open_nor_ended(
    database: Database, make_ledger: MakeLedger, change: LiteralString
) -> None:
    make_ledger().reserve(SMALL, order(100))
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run(change)
