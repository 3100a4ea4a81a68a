"""Claims on texts: two buyers never pay for the same one, and nobody waits for the dead."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tvdb_pipeline.budget.orders import Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.attempts import Patience
from tvdb_pipeline.embedding.claims import TextClaims, fulfil
from tvdb_pipeline.embedding.modes import HybridClient
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import text_hash
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline_tests.embedding.provider import (
    MODEL,
    REAL,
    TEXTS,
    cached,
    claimed,
    clauses,
    client,
    each_has_its_own_vector,
    names,
    until,
    wanted,
)
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Make = Callable[..., EmbeddingService]
BRIEF = Windows(3600, 86_400, held_lease=3, sent_lease=5, send_within=2)


def buyer(database: Database, lease: float = 60, model: str = MODEL) -> TextClaims:
    return TextClaims(database, model, lease)


def test_a_text_is_claimed_by_one_buyer_of_each_model(database: Database) -> None:
    first, second, other = buyer(database), buyer(database), buyer(database, model="text-embedding-3-large")
    assert first.take(["a", "b"]) == {"a", "b"}
    assert second.take(["b", "c"]) == {"c"}
    assert other.take(["a", "b"]) == {"a", "b"}
    assert first.take(["a", "b", "c", "d"]) == {"a", "b", "d"}
    assert first.take([]) == set()


def test_what_is_given_up_or_fulfilled_is_free(database: Database) -> None:
    first, second = buyer(database), buyer(database)
    first.take(["a", "b", "c"])
    second.take(["d"])
    with database.connection() as conn:
        fulfil(conn, first.owner, ["a", "d"])
    assert second.take(["a", "b"]) == {"a"}
    first.give_up()
    assert second.take(["b", "c"]) == {"b", "c"}
    assert first.take(["d"]) == set(), "a claim of another is not fulfilled with ours"


def test_a_claim_lapses_and_is_extended_by_being_taken_again(database: Database) -> None:
    first, second = buyer(database, lease=-1), buyer(database)
    first.take(["a", "b"])
    first_again = buyer(database)
    first_again.owner = first.owner
    first_again.take(["a"])
    assert second.take(["a", "b"]) == {"b"}
    assert first.take(["a", "b"]) == {"a"}


def test_buyers_of_the_same_texts_in_any_order_never_stand_in_each_others_way(database: Database) -> None:
    pool = [text_hash(text) for text in clauses(30)]

    def buy(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(12):
            claims = buyer(database)
            for _ in range(3):
                got = claims.take(chance.sample(pool, 15))
                with database.connection() as conn:
                    fulfil(conn, claims.owner, chance.sample(sorted(got), len(got) // 2))
            claims.give_up()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(buy, range(6)))
    assert claimed(database) == 0


def test_buyers_at_the_same_time_pay_for_each_text_once(
    database: Database, make_service: Make, fake_openai: FakeOpenAI
) -> None:
    fake_openai.latency = 0.15
    texts = clauses(12)
    parts = [texts[:6], texts[3:9], texts[6:], texts[::-1]]
    with ThreadPoolExecutor(4) as pool:
        services = [make_service(client(fake_openai.url)) for _ in parts]
        futures = [pool.submit(service.buy, wanted(*part)) for service, part in zip(services, parts, strict=True)]
        purchases = [future.result() for future in futures]
    assert sorted(fake_openai.texts) == sorted(texts)
    for part, purchase in zip(parts, purchases, strict=True):
        assert (purchase.failure, purchase.bought) == (None, dict.fromkeys(map(text_hash, part), REAL))
    assert each_has_its_own_vector(database, texts)
    assert claimed(database) == 0


def test_a_buyer_that_died_is_waited_for_and_its_texts_are_bought(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    buyer(database, lease=0.5).take([text_hash(TEXTS[0])])
    began = time.time()
    purchase = make_service(provider).buy(wanted(*TEXTS))
    assert set(purchase.bought) == names(TEXTS)
    assert sorted(fake_openai.texts) == sorted(TEXTS)
    assert fake_openai.charges[0].inputs == TEXTS[1:], "what is free is bought without waiting"
    assert fake_openai.log[1].arrived - began >= 0.4


def test_what_another_buyer_could_not_buy_is_bought_by_who_waited(
    database: Database, make_service: Make, fake_openai: FakeOpenAI
) -> None:
    asked, go = threading.Event(), threading.Event()

    def script(arrival: Arrival) -> Fault | None:
        if arrival.number == 1:
            asked.set()
            go.wait(20)
            return faults.rate_limited(30)
        return None

    fake_openai.script = script
    patience = Patience(0.01, 60)
    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(make_service(client(fake_openai.url), lengths=BRIEF).buy, wanted(*TEXTS))
        assert asked.wait(20)
        waiting = pool.submit(
            make_service(client(fake_openai.url, key="sk-other"), patience=patience).buy, wanted(*TEXTS)
        )
        go.set()
        failure = failing.result().failure
        assert failure is not None
        assert failure.code == "rate_limit"
        assert waiting.result().failure is None
    assert sorted(fake_openai.texts) == sorted(TEXTS)


@pytest.mark.parametrize("fault", [faults.invalid_key(), faults.server_error(), faults.Truncate(), faults.bad_input()])
def test_failures_give_claims_up(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI, fault: Fault
) -> None:
    fake_openai.script = in_turn(then=fault)
    make_service(HybridClient(provider)).buy(wanted(*TEXTS))
    assert claimed(database) == 0


@pytest.mark.parametrize("limits", [{"daily_nano": 1}, {"document_nano": 1}, {"hourly_requests": 0}])
def test_refusals_of_the_budget_give_claims_up(
    database: Database, make_service: Make, provider: OpenAIClient, limits: dict[str, int]
) -> None:
    make_service(provider, **limits).buy(wanted(*TEXTS))
    assert claimed(database) == 0


def test_a_fault_of_the_program_gives_claims_up(
    database: Database, make_service: Make, provider: OpenAIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIClient, "embed", lambda *_: {}["a fault"])
    with pytest.raises(KeyError):
        make_service(provider).buy(wanted(*TEXTS))
    assert claimed(database) == 0


def test_a_claim_outlasts_every_attempt_made_under_it(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    left = list[float]()

    def script(_: Arrival) -> Fault | None:
        rows = database.fetch("SELECT extract(epoch FROM min(until) - clock_timestamp()) FROM tvdb.embedding_claims")
        left.append(float(rows[0][0]))
        return faults.rate_limited(0.9) if len(left) < 3 else None

    fake_openai.script = script
    lengths = Windows(3600, 86_400, held_lease=0.4, sent_lease=1.0, send_within=0.5)
    purchase = make_service(provider, patience=Patience(0.01, 0.9), lengths=lengths).buy(wanted(*TEXTS))
    assert purchase.failure is None
    assert len(left) == 3
    assert min(left) >= lengths.sent_lease - 0.2


def test_a_waiting_buyer_takes_what_the_other_bought(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    asked, go = threading.Event(), threading.Event()

    def script(_: Arrival) -> Fault | None:
        asked.set()
        go.wait(20)
        return None

    fake_openai.script = script
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(make_service(provider).buy, wanted(*TEXTS))
        assert asked.wait(20)
        second = pool.submit(make_service(client(fake_openai.url)).buy, wanted(*TEXTS, key="b"))
        go.set()
        assert first.result().bought == second.result().bought
    until(lambda: cached(database, TEXTS) == set(TEXTS))
    assert fake_openai.attempts == 1
