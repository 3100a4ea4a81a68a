"""The breaker against a plain model of it: any order of callers, results of any age, and a clock that jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy, Permit
from tvdb_pipeline.embedding.failures import FAILURES, ProviderError
from tvdb_pipeline_tests.embedding.provider import empty

POLICY = BreakerPolicy(threshold=3, cooldown=10, longest=40, probe_lease=30)
START = datetime(2026, 1, 1, tzinfo=UTC)
CODES = ["auth", "overload", "auth", "bad_request"]


@dataclass
class Held:
    """A permit somebody has, and the age of the model it was given at."""

    permit: Permit
    subject: str
    age: int


class Model:
    """What the breaker is meant to be. age: grows with each change of state; until: end of the pause, or of the probe's lease."""

    def __init__(self) -> None:
        self.subject, self.state, self.age = "", "closed", 0
        self.failures = self.trips = 0
        self.until = START

    def change(self, state: str, until: datetime = START) -> None:
        self.state, self.until = state, until
        self.age += 1

    def gives(self, subject: str, now: datetime) -> bool | None:
        """Whether the next permit is a probe's; None where none is given."""
        if subject != self.subject:
            self.subject, self.failures, self.trips = subject, 0, 0
            self.change("closed")
        if self.state == "closed":
            return False
        if now < self.until:
            return None
        self.change("half_open", now + timedelta(seconds=POLICY.probe_lease))
        return True

    def counts(self, held: Held) -> bool:
        return held.age == self.age

    def answered(self) -> None:
        if self.state == "half_open":
            self.change("closed")
        self.failures = self.trips = 0

    def failed(self, error: ProviderError, now: datetime) -> None:
        self.failures += 1
        if self.state == "half_open" or error.failure.breaker == "trips" or self.failures >= POLICY.threshold:
            pause = max(min(POLICY.cooldown * 2**self.trips, POLICY.longest), error.retry_after or 0)
            self.trips += 1
            self.change("open", now + timedelta(seconds=pause))


class BreakerMachine(RuleBasedStateMachine):
    """Two callers of one subject and one of another, all behind the same row."""

    database: Database
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        empty(self.database)
        self.now = START
        self.model = Model()
        self.probe: Held | None = None

    def breaker(self, subject: str) -> Breaker:
        return Breaker(self.database, subject, POLICY, lambda: self.now)

    def asked(self, subject: str) -> Permit | ProviderError:
        try:
            return self.breaker(subject).permit()
        except ProviderError as refusal:
            return refusal

    @rule(seconds=st.sampled_from([100, 30, 10, 29.5]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=held, subject=st.sampled_from(["one"] * 12 + ["two"]))
    def ask(self, subject: str) -> object:
        was, until = self.model.state, self.model.until
        same = self.model.subject == subject
        expected = self.model.gives(subject, self.now)
        may = self.breaker(subject).may_ask()
        permit = self.asked(subject)
        if isinstance(permit, ProviderError):
            assert (expected, may) == (None, False)
            assert (permit.code, permit.retry_at) == ("breaker_open", self.model.until)
            return multiple()
        assert may
        assert permit.probe == expected
        assert not (same and was == "open" and self.now < until), "a permit before its time"
        held = Held(permit, subject, self.model.age)
        if permit.probe:
            assert was == "open" or (was == "half_open" and self.now >= until), "a second probe"
            self.probe = held
        return held

    @rule(held=consumes(held))
    def answer(self, held: Held) -> None:
        before = self.model.state
        if self.model.counts(held):
            self.model.answered()
        self.breaker(held.subject).succeeded(held.permit)
        closed = self.breaker(held.subject).state().state == "closed"
        assert not (closed and before != "closed") or held is self.probe, "closed by somebody who was not the probe"

    @rule(held=consumes(held), code=st.sampled_from(CODES), after=st.sampled_from([None, 5.0, 70.0]))
    def fail(self, held: Held, code: str, after: float | None) -> None:
        error = ProviderError(code, retry_after=after)
        if self.model.counts(held):
            if FAILURES[code].breaker != "ignores":
                self.model.failed(error, self.now)
            elif held.permit.probe:
                self.model.answered()
        self.breaker(held.subject).failed(held.permit, error)

    @rule(held=consumes(held))
    def give_up(self, held: Held) -> None:
        if self.model.counts(held) and held.permit.probe:
            self.model.change("open", self.now)
        self.breaker(held.subject).abandoned(held.permit)

    @precondition(lambda self: self.model.state == "half_open")
    @rule(target=held)
    def a_lost_probe_is_replaced_and_answers_late(self) -> object:
        lost = self.probe
        assert lost is not None
        self.now = max(self.now, self.model.until)
        replaced = self.ask(lost.subject)
        self.answer(lost)
        return replaced

    @rule(held=held)
    def a_result_is_told_twice(self, held: Held) -> None:
        """Once told, the second time it changes no state (but an ordinary failure counts for each time it is told)."""
        if held.permit.probe:
            self.answer(held)
            before = self.breaker(held.subject).state()
            self.breaker(held.subject).succeeded(held.permit)
            self.breaker(held.subject).failed(held.permit, ProviderError("auth"))
            self.breaker(held.subject).abandoned(held.permit)
            assert self.breaker(held.subject).state() == before

    @invariant()
    def the_row_is_what_the_model_says(self) -> None:
        row = self.breaker("").state()
        assert (row.subject, row.state, row.failures, row.trips) == (
            self.model.subject, self.model.state, self.model.failures, self.model.trips,
        )  # fmt: skip
        assert row.retry_at == (self.model.until if self.model.state == "open" else None)
        assert row.probe_until == (self.model.until if self.model.state == "half_open" else None)


def test_the_breaker_is_what_its_model_says(database: Database) -> None:
    machine = type("Machine", (BreakerMachine,), {"database": database})
    settings = hypothesis.settings(max_examples=40, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(machine, settings=settings)
