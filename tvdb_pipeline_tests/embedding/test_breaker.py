"""The breaker: when the provider may be asked at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy, Permit
from tvdb_pipeline.embedding.failures import FAILURES, ProviderError

POLICY = BreakerPolicy(threshold=3, cooldown=10, longest=60, probe_lease=30)
BUSY, KEY = ProviderError("overload"), ProviderError("auth")
TRIPS = [code for code, failure in FAILURES.items() if failure.breaker == "trips"]
COUNTS = [code for code, failure in FAILURES.items() if failure.breaker == "counts"]
IGNORES = [code for code, failure in FAILURES.items() if failure.breaker == "ignores"]


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(database: Database, clock: Clock) -> Breaker:
    return Breaker(database, "one", POLICY, clock)


def refused(breaker: Breaker) -> ProviderError:
    with pytest.raises(ProviderError) as refusal:
        breaker.permit()
    return refusal.value


def fail(breaker: Breaker, error: ProviderError = BUSY, times: int = 1) -> None:
    for _ in range(times):
        breaker.failed(breaker.permit(), error)


def cooldowns(breaker: Breaker, clock: Clock, error: ProviderError = BUSY) -> Iterator[float]:
    """How long it stays open, trip after trip, each probe failing."""
    while True:
        refusal = refused(breaker)
        assert refusal.retry_at is not None
        seconds = (refusal.retry_at - clock()).total_seconds()
        clock.go(seconds)
        fail(breaker, error)
        yield seconds


def test_it_starts_closed_and_lets_everybody_through(breaker: Breaker) -> None:
    assert [breaker.permit() for _ in range(3)] == [Permit(breaker.state().epoch, False)] * 3
    assert breaker.may_ask()


@pytest.mark.parametrize("code", COUNTS)
def test_failures_in_a_row_open_it_for_all_processes(
    database: Database, clock: Clock, breaker: Breaker, code: str
) -> None:
    other = Breaker(database, "one", POLICY, clock)
    fail(breaker, ProviderError(code))
    fail(other, ProviderError(code))
    assert breaker.permit() == Permit(breaker.state().epoch, False)
    fail(other, ProviderError(code))
    for each in (breaker, other):
        refusal = refused(each)
        assert (refusal.code, refusal.retryable, refusal.billed) == ("breaker_open", True, "no")
        assert refusal.retry_at == clock() + timedelta(seconds=10)
        assert FAILURES[code].advice in refusal.message
    assert not other.may_ask()


def test_a_success_between_failures_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, times=2)
    breaker.succeeded(breaker.permit())
    fail(breaker, times=2)
    assert breaker.state().state == "closed"
    fail(breaker)
    assert breaker.state().state == "open"


@pytest.mark.parametrize("code", TRIPS)
def test_what_no_retry_mends_opens_it_at_once(breaker: Breaker, code: str) -> None:
    fail(breaker, ProviderError(code))
    assert (refused(breaker).code, breaker.state().code) == ("breaker_open", code)


@pytest.mark.parametrize("code", IGNORES)
def test_what_is_not_the_providers_fault_never_counts(breaker: Breaker, code: str) -> None:
    fail(breaker, ProviderError(code), times=5)
    assert (breaker.state().state, breaker.state().failures) == ("closed", 0)
    fail(breaker, times=2)
    fail(breaker, ProviderError(code), times=5)
    assert breaker.state().failures == 2


def test_the_pause_doubles_with_each_trip_up_to_the_longest(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, times=3)
    pauses = cooldowns(breaker, clock)
    assert [next(pauses) for _ in range(5)] == [10, 20, 40, 60, 60]


def test_after_it_closed_the_pause_is_short_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, times=3)
    pauses = cooldowns(breaker, clock)
    assert [next(pauses), next(pauses)] == [10, 20]
    clock.go(40)
    breaker.succeeded(breaker.permit())
    fail(breaker, KEY)
    assert next(cooldowns(breaker, clock)) == 10


def test_the_pause_is_never_shorter_than_the_provider_asks(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, ProviderError("rate_limit", retry_after=200), times=3)
    pauses = cooldowns(breaker, clock, ProviderError("rate_limit", retry_after=15))
    assert [next(pauses) for _ in range(3)] == [200, 20, 40]


def test_no_probe_is_sent_while_the_provider_wants_a_rest(breaker: Breaker, clock: Clock) -> None:
    breaker.permit()
    breaker.rest(300)
    fail(breaker, KEY)
    clock.go(100)
    assert not breaker.may_ask()
    assert refused(breaker).retry_at == clock() + timedelta(seconds=200)


def test_many_trips_do_not_overflow_the_pause(database: Database, breaker: Breaker) -> None:
    fail(breaker, KEY)
    database.run("UPDATE tvdb.breaker SET trips = 100000, state = 'closed', retry_at = NULL")
    fail(breaker, KEY)
    assert refused(breaker).code == "breaker_open"


def test_it_stays_open_until_the_very_moment(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, KEY)
    clock.go(9.999)
    assert refused(breaker).code == "breaker_open"
    clock.go(0.001)
    assert breaker.may_ask()
    assert breaker.permit().probe


def test_one_probe_goes_and_the_others_wait_for_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, KEY)
    clock.go(10)
    probe = breaker.permit()
    assert (probe.probe, breaker.state().state) == (True, "half_open")
    assert refused(breaker).retry_at == clock() + timedelta(seconds=30)
    assert not breaker.may_ask()
    breaker.succeeded(probe)
    assert (breaker.state().state, breaker.state().trips, breaker.state().code) == ("closed", 0, None)
    assert not breaker.permit().probe


def test_a_probe_that_fails_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, KEY)
    clock.go(10)
    breaker.failed(breaker.permit(), BUSY)
    assert (breaker.state().state, breaker.state().code) == ("open", "overload")
    assert refused(breaker).retry_at == clock() + timedelta(seconds=20)


@pytest.mark.parametrize("code", ["bad_request", "refused_input"])
def test_a_refused_input_shows_that_the_provider_works(breaker: Breaker, clock: Clock, code: str) -> None:
    fail(breaker, KEY)
    clock.go(10)
    fail(breaker, ProviderError(code))
    assert breaker.state().state == "closed"


def test_a_probe_given_up_can_be_taken_by_the_next_at_once(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, KEY)
    clock.go(10)
    first = breaker.permit()
    breaker.abandoned(first)
    assert breaker.may_ask()
    second = breaker.permit()
    assert second.probe
    breaker.succeeded(first)
    breaker.abandoned(first)
    assert breaker.state().state == "half_open"
    breaker.failed(second, BUSY)
    assert refused(breaker).retry_at == clock() + timedelta(seconds=20), "giving up is no trip"


def test_giving_up_an_ordinary_attempt_changes_nothing(breaker: Breaker) -> None:
    permit = breaker.permit()
    before = breaker.state()
    breaker.abandoned(permit)
    assert breaker.state() == before


def test_a_probe_whose_process_was_killed_is_replaced(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, KEY)
    clock.go(10)
    lost = breaker.permit()
    clock.go(29.9)
    refused(breaker)
    clock.go(0.1)
    second = breaker.permit()
    assert second.probe
    for late in (breaker.succeeded, breaker.abandoned, lambda permit: breaker.failed(permit, KEY)):
        late(lost)
        assert breaker.state().state == "half_open"
    breaker.succeeded(second)
    assert breaker.state().state == "closed"


@pytest.mark.parametrize("late", ["succeeded", "failed", "tripped"])
def test_a_result_from_before_the_last_change_changes_nothing(breaker: Breaker, clock: Clock, late: str) -> None:
    def arrives(permit: Permit) -> None:
        breaker.succeeded(permit) if late == "succeeded" else breaker.failed(permit, KEY if late == "tripped" else BUSY)

    old = breaker.permit()

    def changes_nothing() -> None:
        before = breaker.state()
        arrives(old)
        assert breaker.state() == before

    fail(breaker, KEY)
    changes_nothing()
    clock.go(10)
    probe = breaker.permit()
    changes_nothing()
    breaker.succeeded(probe)
    fail(breaker, times=2)
    changes_nothing()


def test_another_key_or_endpoint_starts_clean(database: Database, clock: Clock, breaker: Breaker) -> None:
    old = breaker.permit()
    fail(breaker, KEY)
    breaker.rest(100)
    other = Breaker(database, "two", POLICY, clock)
    assert other.may_ask()
    assert other.permit() == Permit(other.state().epoch, False, 0.0)
    assert (other.state().subject, other.state().failures, other.state().rest_until) == ("two", 0, None)
    before = other.state()
    breaker.failed(old, KEY)
    breaker.rest(50)
    assert other.state() == before


def test_a_rest_is_told_with_the_permit_and_never_shortened(breaker: Breaker, clock: Clock) -> None:
    breaker.permit()
    breaker.rest(20)
    breaker.rest(5)
    breaker.rest(0)
    assert breaker.permit().rest_seconds == 20
    assert not breaker.may_ask()
    clock.go(20)
    assert (breaker.permit().rest_seconds, breaker.may_ask()) == (0, True)
