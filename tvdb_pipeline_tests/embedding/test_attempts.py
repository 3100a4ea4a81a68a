"""One request in up to three attempts: how many, how far apart, and what the ledger says of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.attempts import MAX_ATTEMPTS, Patience
from tvdb_pipeline.embedding.breaker import BreakerPolicy
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline_tests.embedding.provider import (
    TEXTS,
    booked_as_logged,
    clauses,
    client,
    each_has_its_own_vector,
    gaps,
    states,
    wanted,
)
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Fault, Refuse, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Make = Callable[..., EmbeddingService]
COST = sum(each.tokens for each in wanted(*TEXTS)) * 20


def failure(service: EmbeddingService, *texts: str) -> str | None:
    purchase = service.buy(wanted(*(texts or TEXTS)))
    return purchase.failure and purchase.failure.code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.invalid_key(), "auth"),
        (faults.insufficient_quota(), "quota"),
        (faults.billing_hard_limit(), "quota"),
        (faults.model_not_found(), "wrong_model"),
        (faults.WrongDimension(), "wrong_dimension"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_pass_by_itself_is_asked_for_once(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI, fault: Fault, code: str
) -> None:
    fake_openai.script = in_turn(then=fault)
    assert (failure(make_service(provider)), fake_openai.attempts) == (code, 1)
    assert states(database) == ["charged_unknown" if fault.charged else "released"]
    assert booked_as_logged(database, fake_openai)


@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [
        (faults.rate_limited(), "rate_limit", "released"),
        (faults.server_error(), "overload", "released"),
        (faults.unavailable(), "overload", "released"),
        (Refuse(504, None), "overload", "charged_unknown"),
        (Refuse(409, None), "timeout", "charged_unknown"),
        (faults.Reset(charged=True), "connection", "charged_unknown"),
        (faults.Truncate(), "connection", "charged_unknown"),
        (faults.Short(), "malformed_response", "charged_unknown"),
        (faults.NotJson(), "malformed_response", "charged_unknown"),
    ],
    ids=lambda value: value.outcome if isinstance(value, Fault) else "",
)
def test_what_may_pass_is_asked_for_three_times_at_most(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI, fault: Fault, code: str,
    state: str,
) -> None:  # fmt: skip
    fake_openai.script = in_turn(then=fault)
    assert (failure(make_service(provider)), fake_openai.attempts) == (code, MAX_ATTEMPTS)
    assert states(database) == [state] * 3
    assert booked_as_logged(database, fake_openai)


def test_a_failure_that_passes_leaves_its_vectors_and_its_bill(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.rate_limited(), faults.server_error(), faults.Shuffle())
    assert failure(make_service(provider)) is None
    assert states(database) == ["released", "released", "settled"]
    assert each_has_its_own_vector(database, TEXTS)
    assert bills(database, ["a"])["a"].cost_nano == fake_openai.bill_nano == COST


def test_each_attempt_carries_the_name_of_its_row(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(
        faults.Reset(charged=True), faults.Short(), None, faults.rate_limited(), faults.Hang(0.01, charged=False), None
    )
    service = make_service(provider)
    service.buy(wanted(*TEXTS))
    service.buy(wanted("One more."))
    rows = database.fetch("SELECT request_key, attempt, kind FROM tvdb.requests ORDER BY id")
    assert [f"{key}-{attempt}" for key, attempt, _ in rows] == [entry.request_id for entry in fake_openai.log]
    assert [(attempt, kind) for _, attempt, kind in rows] == [(1, "first"), (2, "retry"), (3, "retry")] * 2
    assert len({key for key, _, _ in rows}) == 2
    assert booked_as_logged(database, fake_openai)


def test_the_ledger_books_what_was_billed_and_never_less(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI,
) -> None:  # fmt: skip
    service = make_service(provider)
    for text in clauses(4):
        service.buy(wanted(text))
    assert make_ledger().state().spent_nano == fake_openai.bill_nano
    fake_openai.script = in_turn(
        faults.Reset(charged=False), faults.Short(), faults.server_error(), faults.Truncate(), None
    )
    service.buy(wanted(*TEXTS))
    service.buy(wanted("One more."))
    state = make_ledger().state()
    assert state.spent_nano >= fake_openai.bill_nano
    assert (state.held_nano, state.requests) == (0, fake_openai.attempts)
    assert booked_as_logged(database, fake_openai)


def test_what_reached_nobody_costs_nothing_and_frees_its_slot(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], fake_openai: FakeOpenAI
) -> None:
    url = fake_openai.url
    fake_openai.__exit__(None, None, None)
    assert failure(make_service(client(url))) == "connection"
    assert states(database) == ["released"] * 3
    state = make_ledger().state()
    assert (state.spent_nano, state.held_nano, state.requests) == (0, 0, 0)
    fake_openai.__enter__()


def test_a_refusal_that_reached_the_provider_keeps_its_slot(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI,
) -> None:  # fmt: skip
    fake_openai.script = in_turn(faults.rate_limited())
    make_service(provider).buy(wanted(*TEXTS))
    state = make_ledger().state()
    assert (state.requests, state.retries) == (2, 1)


def test_without_a_retry_budget_there_is_one_attempt_and_its_own_failure_stands(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(then=faults.server_error())
    service = make_service(provider, retry_share=0.0, retry_floor=0)
    assert (failure(service), fake_openai.attempts, states(database)) == ("overload", 1, ["released"])


def test_a_retry_budget_is_used_up_and_then_each_request_has_one_attempt(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(then=faults.server_error())
    service = make_service(provider, BreakerPolicy(threshold=100), retry_share=0.0, retry_floor=3)
    assert [failure(service, text) for text in clauses(4)] == ["overload"] * 4
    assert fake_openai.attempts == 3 + 2 + 1 + 1


def test_a_limit_reached_by_a_retry_is_the_budgets_refusal(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(then=faults.server_error())
    assert (failure(make_service(provider, hourly_requests=2)), fake_openai.attempts) == ("hour_limit", 2)


def test_a_breaker_opened_by_an_attempt_stops_the_next(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(then=faults.server_error())
    assert (failure(make_service(provider, BreakerPolicy(threshold=2))), fake_openai.attempts) == ("breaker_open", 2)


def test_no_attempt_comes_before_the_provider_wants_it(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.rate_limited(0.3), Refuse(503, None, headers={"retry-after-ms": "200"}))
    assert failure(make_service(provider)) is None
    first, second = gaps(fake_openai)
    assert first >= 0.3
    assert second >= 0.2


def test_one_buyer_rests_as_long_as_another_was_told_to(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.limits_left = lambda: {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}
    make_service(provider).buy(wanted("one"))
    make_service(client(fake_openai.url)).buy(wanted("two"))
    assert gaps(fake_openai)[0] >= 0.3


def test_a_provider_that_wants_too_long_a_rest_is_not_waited_for(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.rate_limited(100))
    assert (failure(make_service(provider)), fake_openai.attempts) == ("rate_limit", 1)
    other = make_service(client(fake_openai.url)).buy(wanted("Something else."))
    assert other.failure is not None
    assert (other.failure.code, other.failure.retryable) == ("resting", True)
    assert other.failure.retry_at is not None
    assert abs(other.failure.retry_at - datetime.now(UTC) - timedelta(seconds=100)) < timedelta(seconds=20)
    assert (fake_openai.attempts, states(database)) == (1, ["released"])


def test_a_long_rest_asked_for_is_told_to_the_documents_that_wait(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.rate_limited(100))
    refusal = make_service(provider).buy(wanted(*TEXTS)).failure
    assert refusal is not None
    assert refusal.retry_at is not None
    assert refusal.retry_at > datetime.now(UTC) + timedelta(seconds=80)


def test_a_query_is_less_patient(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.rate_limited(3))
    service = make_service(provider, patience=Patience(0.01, 20))
    purchase = service.buy(wanted("Is it covered?", key=None), "query")
    assert purchase.failure is not None
    assert (purchase.failure.code, fake_openai.attempts) == ("rate_limit", 1)
    assert database.fetch("SELECT purpose FROM tvdb.requests") == [("query",)]
    assert database.fetch("SELECT count(*) FROM tvdb.request_shares") == [(0,)]


def test_a_reservation_that_lapsed_before_it_was_sent_is_not_sent(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    service = make_service(provider, lengths=Windows(3600, 86_400, held_lease=0.0, sent_lease=150, send_within=30))
    assert (failure(service), fake_openai.attempts) == ("reservation_lapsed", 0)


def test_a_request_held_up_for_too_long_never_leaves(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI,
) -> None:  # fmt: skip
    lengths = Windows(3600, 86_400, held_lease=60, sent_lease=150, send_within=-1)
    assert (failure(make_service(provider, lengths=lengths)), fake_openai.attempts) == ("late", 0)
    assert states(database) == ["released"] * MAX_ATTEMPTS
    assert (make_ledger().state().requests, make_ledger().state().spent_nano) == (0, 0)


def test_a_probe_that_never_left_says_nothing_of_the_provider(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.invalid_key())
    policy = BreakerPolicy(cooldown=0.0)
    make_service(provider, policy).buy(wanted(*TEXTS))
    lengths = Windows(3600, 86_400, held_lease=60, sent_lease=150, send_within=-1)
    service = make_service(provider, policy, lengths=lengths)
    assert failure(service) == "late"
    assert service.breaker.state().state != "closed"
    assert service.breaker.may_ask(), "the next may probe at once"
