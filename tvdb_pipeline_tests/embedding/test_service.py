"""Buying vectors: through the ledger, into the cache, retried within bounds, with the fallback where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import stamina

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.budget.ledger import BudgetRefused, Ledger, Limits
from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.client import EmbeddingClient, ProviderError
from tvdb_pipeline.embedding.mock import MOCK_MODEL, MockClient
from tvdb_pipeline.embedding.modes import HybridClient, ProvisionalClient, UnavailableClient
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.service import MAX_ATTEMPTS, Bought, EmbeddingService, Wanted, text_hash
from tvdb_pipeline.ingest.buying import Buying
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI, Refusal

MODEL = "text-embedding-3-small"
TEXTS = ["Fire is covered.", "Flood is not covered.", "See part 3 of the policy."]
REAL, PROVISIONAL = Bought(MODEL, False), Bought(MOCK_MODEL, True)
DOLLAR = 10**9


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries as in earnest, without the time between them."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def provider(fake_openai: FakeOpenAI) -> OpenAIClient:
    return OpenAIClient(MODEL, "sk-test", fake_openai.url, 10)


def wanted(*texts: str, key: str | None = "a") -> list[Wanted]:
    return [Wanted(text, text_hash(text), count_tokens(text), key) for text in texts]


def service(
    database: Database, client: EmbeddingClient, *, daily_nano: int = DOLLAR, hourly_requests: int = 100
) -> EmbeddingService:
    return EmbeddingService(client, Ledger(database, Limits(daily_nano, hourly_requests, DOLLAR)), database)


def states(database: Database) -> list[tuple[str, str]]:
    """Model and end of every request, in order."""
    return [(row[0], row[1]) for row in database.fetch("SELECT model, state FROM tvdb.requests ORDER BY id")]


def cached(database: Database, model: str, *texts: str) -> bool:
    hashes = {text_hash(text) for text in texts}
    return cache.known(database, model, hashes) == hashes


def failing(*answers: Refusal | None) -> Callable[[list[str]], Refusal | None]:
    """One answer after the other, the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


BUSY = Refusal(429, "rate_limit_exceeded")


def test_vectors_bought_are_in_the_cache_and_their_bill_is_the_servers(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    assert service(database, provider).buy(wanted(*TEXTS)) == REAL
    assert cached(database, MODEL, *TEXTS)
    got = cache.get(database, MODEL, text_hash(TEXTS[1]))
    assert got is not None
    assert np.allclose(got, MockClient().embed(TEXTS).vectors[1], atol=1e-6)
    assert states(database) == [(MODEL, "settled")]
    assert bills(database, ["a"])["a"].cost_nano == fake_openai.bill_nano > 0


def test_many_requests_for_many_documents_add_up_to_the_servers_bill(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    shop = service(database, provider)
    fake_openai.refuse = failing(None, BUSY, None, Refusal(500, "server_error"), None)
    for number in range(5):
        shop.buy([*wanted(f"Clause {number} of the first.", key="a"), *wanted(f"Clause {number}, second.", key="b")])
    billed = bills(database, ["a", "b"])
    state = Ledger(database, Limits(DOLLAR, 100, DOLLAR)).state()
    assert sum(bill.cost_nano for bill in billed.values()) == state.spent_nano == fake_openai.bill_nano
    assert sum(bill.tokens for bill in billed.values()) == sum(charge.tokens for charge in fake_openai.charges)
    assert state.requests_last_hour == fake_openai.attempts == 7


def test_a_query_is_billed_to_no_document(database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    service(database, provider).buy(wanted("Is fire covered?", key=None), purpose="query")
    assert database.fetch("SELECT purpose, cost_nano FROM tvdb.requests") == [("query", fake_openai.bill_nano)]
    assert database.fetch("SELECT count(*) FROM tvdb.request_shares") == [(0,)]


def test_a_passing_failure_is_retried_until_it_passes(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.refuse = failing(BUSY, Refusal(500, "server_error"), None)
    assert service(database, provider).buy(wanted(*TEXTS)) == REAL
    assert [state for _, state in states(database)] == ["released", "released", "settled"]
    assert len(fake_openai.charges) == 1


def test_attempts_are_bounded(database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    fake_openai.refuse = failing(BUSY)
    with pytest.raises(ProviderError) as refused:
        service(database, provider).buy(wanted(*TEXTS))
    assert refused.value.code == "rate_limit"
    assert fake_openai.attempts == MAX_ATTEMPTS == 3


@pytest.mark.parametrize(
    "refusal", [Refusal(401, "invalid_api_key"), Refusal(429, "insufficient_quota"), Refusal(400, "invalid_request")]
)
def test_what_cannot_pass_by_itself_is_not_retried(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI, refusal: Refusal
) -> None:
    fake_openai.refuse = failing(refusal)
    with pytest.raises(ProviderError):
        service(database, provider).buy(wanted(*TEXTS))
    assert fake_openai.attempts == 1
    assert states(database) == [(MODEL, "released")]


def test_a_timeout_counts_as_spent(database: Database, fake_openai: FakeOpenAI) -> None:
    fake_openai.latency = 0.6
    impatient = service(database, OpenAIClient(MODEL, "sk-test", fake_openai.url, 0.1), hourly_requests=1)
    with pytest.raises(BudgetRefused):
        impatient.buy(wanted(*TEXTS))
    assert states(database) == [(MODEL, "charged_unknown")]
    assert bills(database, ["a"])["a"].cost_nano == sum(count_tokens(text) for text in TEXTS) * 20


@pytest.mark.parametrize("limits", [{"daily_nano": 1}, {"hourly_requests": 0}])
def test_a_limit_stops_a_request_before_it_is_sent(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI, limits: dict[str, int]
) -> None:
    with pytest.raises(BudgetRefused):
        service(database, provider, **limits).buy(wanted(*TEXTS))
    assert fake_openai.attempts == 0
    assert states(database) == []


def test_retries_pass_the_limits_like_first_attempts(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.refuse = failing(BUSY)
    with pytest.raises(BudgetRefused):
        service(database, provider, hourly_requests=2).buy(wanted(*TEXTS))
    assert fake_openai.attempts == 2


class Breaking:
    """A client with a fault of its own."""

    model, paid = MODEL, True
    fallback: EmbeddingClient | None = MockClient()

    def embed(self, texts: object) -> None:
        raise KeyError("a fault")


def test_a_fault_of_the_program_is_charged_and_not_hidden_by_the_fallback(database: Database) -> None:
    with pytest.raises(KeyError):
        service(database, Breaking()).buy(wanted(*TEXTS))  # pyright: ignore[reportArgumentType]
    assert states(database) == [(MODEL, "charged_unknown")]


def test_the_mock_is_recorded_without_cost(database: Database) -> None:
    shop = service(database, MockClient(), daily_nano=0, hourly_requests=0)
    assert shop.buy(wanted(*TEXTS)) == Bought(MOCK_MODEL, False)
    assert cached(database, MOCK_MODEL, *TEXTS)
    assert database.fetch("SELECT state, paid, cost_nano, inputs FROM tvdb.requests") == [("settled", False, 0, 3)]
    assert (shop.sent.texts, shop.sent.requests) == (3, 1)


def test_hybrid_uses_the_provider_while_it_answers(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    assert service(database, HybridClient(provider)).buy(wanted(*TEXTS)) == REAL
    assert not cached(database, MOCK_MODEL, TEXTS[0])


@pytest.mark.parametrize("refusal", [BUSY, Refusal(401, "invalid_api_key"), Refusal(429, "insufficient_quota")])
def test_hybrid_falls_back_provisionally_when_the_provider_does_not_answer(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI, refusal: Refusal
) -> None:
    fake_openai.refuse = failing(refusal)
    assert service(database, HybridClient(provider)).buy(wanted(*TEXTS)) == PROVISIONAL
    assert cached(database, MOCK_MODEL, *TEXTS)
    assert not cached(database, MODEL, TEXTS[0])
    assert bills(database, ["a"])["a"].cost_nano == 0


def test_hybrid_falls_back_provisionally_when_the_budget_is_spent(
    database: Database, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    assert service(database, HybridClient(provider), daily_nano=0).buy(wanted(*TEXTS)) == PROVISIONAL
    assert fake_openai.attempts == 0


def test_a_second_fallback_makes_only_what_is_missing(database: Database, provider: OpenAIClient) -> None:
    shop = service(database, HybridClient(provider), daily_nano=0)
    shop.buy(wanted(*TEXTS[:2]))
    shop.buy(wanted(*TEXTS))
    assert (shop.sent.texts, shop.sent.requests) == (3, 2)
    shop.buy(wanted(*TEXTS))
    assert shop.sent.requests == 2


def test_hybrid_without_a_key_is_provisional_from_the_start(database: Database) -> None:
    shop = service(database, ProvisionalClient())
    assert shop.provisional
    assert shop.buy(wanted(*TEXTS)) == PROVISIONAL


def test_an_unavailable_client_refuses_and_writes_nothing_down(database: Database) -> None:
    shop = service(database, UnavailableClient(MODEL, ProviderError("no_key", "No key.", retryable=True)))
    with pytest.raises(ProviderError) as refused:
        shop.buy(wanted(*TEXTS))
    assert refused.value.code == "no_key"
    assert states(database) == []


def bought_for(shop: Workshop, *keys: str) -> list[Work]:
    """Documents of the same texts going through one batch."""
    with shop.database.connection() as conn:
        registry.register(conn, [(key, key, None) for key in keys])
    buying, done = Buying(shop), list[Work]()
    for document in registry.load(shop.database, keys):
        chunks = [
            Chunk(i, text, count_tokens(text), text_hash(text), 1, 1, ()) for i, text in enumerate([*TEXTS, TEXTS[0]])
        ]
        done.extend(buying.add(Work(document, 1, Path(document.path), chunks=chunks)))
    return [*done, *buying.flush()]


def test_no_text_is_bought_twice(
    make_shop: Callable[..., Workshop], provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    assert len(bought_for(make_shop(provider), "a", "b")) == 2
    assert len(bought_for(make_shop(provider), "a", "c")) == 2
    assert sorted(fake_openai.texts) == sorted(TEXTS)
    assert fake_openai.attempts == 1


def test_a_document_served_from_the_cache_has_all_its_vectors(
    make_shop: Callable[..., Workshop], provider: OpenAIClient
) -> None:
    bought_for(make_shop(provider), "a")
    (work,) = bought_for(make_shop(provider), "b")
    assert set(work.bought.values()) == {REAL}
    assert (len(work.bought), work.pending, work.refusal) == (3, set(), None)
