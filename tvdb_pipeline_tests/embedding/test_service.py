"""Buying vectors: each text once, through the ledger, into the cache, with the fallback where there is one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.budget.orders import BudgetRefused
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.embedding.modes import HybridClient, ProvisionalClient, UnavailableClient
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import Bought, text_hash
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline_tests.embedding.provider import (
    MODEL,
    REAL,
    STAND_IN,
    TEXTS,
    booked_as_logged,
    cached,
    claimed,
    clauses,
    client,
    each_has_its_own_vector,
    empty,
    names,
    states,
    wanted,
)
from tvdb_pipeline_tests.embedding.raw_server import whole, writing
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Fault, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Make = Callable[..., EmbeddingService]
FAULTS = [
    None, faults.Shuffle(), faults.Shuffle(), faults.Short(), faults.Duplicate(), faults.Misnumbered(), faults.NotFinite(),
    faults.NoUsage(), faults.rate_limited(), faults.server_error(), faults.Reset(charged=True), faults.Reset(charged=False),
    faults.Truncate(),
]  # fmt: skip


def all_of(bought: Bought) -> dict[str, Bought]:
    return dict.fromkeys(map(text_hash, TEXTS), bought)


def test_vectors_bought_are_in_the_cache_and_their_bill_is_the_servers(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    purchase = make_service(provider).buy(wanted(*TEXTS))
    assert (purchase.bought, purchase.failure) == (all_of(REAL), None)
    assert (purchase.refused, purchase.withheld) == (set(), {})
    assert each_has_its_own_vector(database, TEXTS)
    assert states(database) == ["settled"]
    assert bills(database, ["a"])["a"].cost_nano == fake_openai.bill_nano > 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(st.sampled_from(FAULTS), max_size=6), poison=st.sets(st.integers(0, 8), max_size=2))
def test_whatever_goes_wrong_no_vector_is_given_to_another_text(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI,
    turns: list[Fault | None], poison: set[int],
) -> None:  # fmt: skip
    empty(database)
    fake_openai.log.clear()
    fake_openai.charges.clear()
    texts = clauses(9)
    bad = {texts[number] for number in poison}
    fake_openai.poison, fake_openai.script = bad.__contains__, in_turn(*turns)
    service = make_service(provider, retry_floor=100)
    first = service.buy(wanted(*texts[:6]))
    fake_openai.script = in_turn()
    second = service.buy(wanted(*texts))
    got = cached(database, texts)
    assert each_has_its_own_vector(database, sorted(got))
    assert set(first.bought) | set(second.bought) == names(list(got))
    assert second.failure is not None or got == set(texts) - bad
    assert booked_as_logged(database, fake_openai)
    assert claimed(database) == 0


def test_what_is_bought_already_is_not_bought_again(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    make_service(provider).buy(wanted(*TEXTS[:2]))
    assert make_service(provider).buy(wanted(*TEXTS, key="b")).bought == all_of(REAL)
    assert [charge.inputs for charge in fake_openai.charges] == [TEXTS[:2], TEXTS[2:]]


def test_a_text_wanted_twice_in_a_request_is_bought_once(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    purchase = make_service(provider).buy([*wanted(TEXTS[0]), *wanted(TEXTS[0], key="b")])
    assert (purchase.failure, set(purchase.bought)) == (None, names(TEXTS[:1]))
    assert fake_openai.texts.count(TEXTS[0]) == 1


def test_a_query_is_billed_to_no_document(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    make_service(provider).buy(wanted("Is fire covered?", key=None), purpose="query")
    assert database.fetch("SELECT purpose, cost_nano FROM tvdb.requests") == [("query", fake_openai.bill_nano)]
    assert database.fetch("SELECT count(*) FROM tvdb.request_shares") == [(0,)]


@pytest.mark.parametrize(("limits", "code"), [({"daily_nano": 1}, "day_limit"), ({"hourly_requests": 0}, "hour_limit")])
def test_a_limit_stops_a_request_before_it_is_sent(
    database: Database,
    make_service: Make,
    provider: OpenAIClient,
    fake_openai: FakeOpenAI,
    limits: dict[str, int],
    code: str,
) -> None:
    purchase = make_service(provider, **limits).buy(wanted(*TEXTS))
    assert isinstance(purchase.failure, BudgetRefused)
    assert (purchase.failure.code, purchase.bought) == (code, {})
    assert (fake_openai.attempts, states(database)) == (0, [])


def test_a_document_over_its_limit_is_withheld_and_the_others_are_bought(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    small, large = wanted("Fire.", key="small"), wanted(*clauses(8), key="large")
    purchase = make_service(provider, document_nano=large[0].tokens * 20).buy([*small, *large])
    assert set(purchase.bought) == names(["Fire."])
    assert set(purchase.withheld) == names(clauses(8))
    assert {refusal.code for refusal in purchase.withheld.values()} == {"document_limit"}
    assert (purchase.failure, fake_openai.texts) == (None, ["Fire."])


@pytest.mark.parametrize("stand_in", [True, False])
def test_a_refusal_that_stands_already_asks_nothing(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI, stand_in: bool
) -> None:
    stopped = BudgetRefused("day_limit", "Spent.")
    assert make_service(provider).buy(wanted(*TEXTS), stopped=stopped).failure is stopped
    purchase = make_service(HybridClient(provider)).buy(wanted(*TEXTS), stopped=stopped, stand_in=stand_in)
    assert (purchase.failure, purchase.bought) == (stopped, all_of(STAND_IN) if stand_in else {})
    assert (fake_openai.attempts, claimed(database)) == (0, 0)


def test_real_mode_reports_the_failure_and_makes_nothing_up(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(then=faults.insufficient_quota())
    purchase = make_service(provider).buy(wanted(*TEXTS))
    assert isinstance(purchase.failure, ProviderError)
    assert (purchase.failure.code, purchase.bought) == ("quota", {})
    assert cached(database, TEXTS, MOCK_MODEL) == set()


def test_hybrid_uses_the_provider_while_it_answers(
    database: Database, make_service: Make, provider: OpenAIClient
) -> None:
    assert make_service(HybridClient(provider)).buy(wanted(*TEXTS)).bought == all_of(REAL)
    assert cached(database, TEXTS, MOCK_MODEL) == set()


@pytest.mark.parametrize(
    "fault", [faults.rate_limited(), faults.invalid_key(), faults.Short(), faults.Reset(charged=False)]
)
def test_hybrid_stands_in_for_a_provider_that_does_not_answer(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI, fault: Fault
) -> None:
    fake_openai.script = in_turn(then=fault)
    purchase = make_service(HybridClient(provider)).buy(wanted(*TEXTS))
    assert (purchase.bought, purchase.failure is not None) == (all_of(STAND_IN), True)
    assert cached(database, TEXTS, MOCK_MODEL) == set(TEXTS)
    assert cached(database, TEXTS, MODEL) == set()


def test_hybrid_stands_in_only_for_what_failed(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    texts = clauses(8)
    fake_openai.poison = texts[1].__eq__
    purchase = make_service(HybridClient(provider), hourly_requests=5).buy(wanted(*texts))
    real = names(fake_openai.texts)
    assert real
    assert {name for name, bought in purchase.bought.items() if bought == REAL} == real
    assert {name for name, bought in purchase.bought.items() if bought == STAND_IN} == names(
        texts
    ) - real - purchase.refused
    assert purchase.refused == names(texts[1:2])


def test_hybrid_stands_in_where_the_budget_is_spent_and_makes_only_what_is_missing(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    service = make_service(HybridClient(provider), daily_nano=0)
    service.buy(wanted(*TEXTS[:2]))
    assert service.buy(wanted(*TEXTS)).bought == all_of(STAND_IN)
    service.buy(wanted(*TEXTS))
    rows = database.fetch("SELECT model, inputs, cost_nano, paid FROM tvdb.requests ORDER BY id")
    assert rows == [(MOCK_MODEL, 2, 0, False), (MOCK_MODEL, 1, 0, False)]
    assert fake_openai.attempts == 0


def test_hybrid_takes_the_real_vector_once_it_can(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.server_error(), faults.server_error(), faults.server_error())
    service = make_service(HybridClient(provider))
    assert service.buy(wanted(*TEXTS)).bought == all_of(STAND_IN)
    assert service.buy(wanted(*TEXTS)).bought == all_of(REAL)


def test_the_mock_needs_no_socket_and_passes_no_limit(
    database: Database, make_service: Make, no_network: list[object]
) -> None:
    service = make_service(MockClient(), daily_nano=0, hourly_requests=0, document_nano=0)
    assert service.buy(wanted(*TEXTS)).bought == all_of(Bought(MOCK_MODEL, False))
    assert not service.provisional
    assert cached(database, TEXTS, MOCK_MODEL) == set(TEXTS)
    assert database.fetch("SELECT state, paid, cost_nano, inputs FROM tvdb.requests") == [("settled", False, 0, 3)]
    assert no_network == []


def test_hybrid_without_a_key_is_provisional_from_the_start(
    database: Database, make_service: Make, no_network: list[object]
) -> None:
    service = make_service(ProvisionalClient())
    assert service.provisional
    assert service.buy(wanted(*TEXTS)).bought == all_of(STAND_IN)
    assert no_network == []


def test_an_unavailable_client_refuses_and_writes_nothing_down(
    database: Database, make_service: Make, no_network: list[object]
) -> None:
    purchase = make_service(UnavailableClient(MODEL, ProviderError("no_key"))).buy(wanted(*TEXTS))
    assert purchase.failure is not None
    assert (purchase.failure.code, purchase.bought, states(database)) == ("no_key", {}, [])
    assert no_network == []


def test_a_fault_of_the_program_is_charged_and_not_hidden_by_the_fallback(
    database: Database, make_service: Make, provider: OpenAIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIClient, "embed", lambda *_: {}["a fault"])
    with pytest.raises(KeyError):
        make_service(HybridClient(provider)).buy(wanted(*TEXTS))
    assert states(database) == ["charged_unknown"]
    assert cached(database, TEXTS, MOCK_MODEL) == set()


def test_an_absurd_bill_is_a_failure_of_the_provider_and_not_of_the_program(
    database: Database, make_service: Make
) -> None:
    vector = base64.b64encode(MockClient().embed(TEXTS[:1]).vectors.tobytes()).decode()
    answer = {"data": [{"index": 0, "embedding": vector}], "usage": {"total_tokens": 10**19}}
    with writing(whole(json.dumps(answer).encode())) as server:
        purchase = make_service(client(server.url)).buy(wanted(TEXTS[0]))
    assert purchase.failure is not None
    assert (purchase.failure.code, set(states(database))) == ("malformed_response", {"charged_unknown"})
