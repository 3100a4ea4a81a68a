"""Texts the provider refuses: found, noted, and not offered again."""

from __future__ import annotations

from collections.abc import Callable
from math import log2

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import refused
from tvdb_pipeline.embedding.modes import HybridClient
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import text_hash
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline_tests.embedding.provider import (
    MODEL,
    REAL,
    booked_as_logged,
    cached,
    claimed,
    clauses,
    each_has_its_own_vector,
    names,
    refused_texts,
    wanted,
)
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, Refuse, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Make = Callable[..., EmbeddingService]
CLAUSES = clauses(21)
POISON = [CLAUSES[4], CLAUSES[13]]
CLEAN = [text for text in CLAUSES if text not in POISON]
NOT_ABOUT_INPUT = Refuse(400, None, "Something is wrong.")


@pytest.fixture
def poisoned(fake_openai: FakeOpenAI) -> FakeOpenAI:
    fake_openai.poison = lambda text: text in POISON
    return fake_openai


def test_poison_is_found_and_all_other_texts_are_bought_once(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    purchase = make_service(provider).buy(wanted(*CLAUSES))
    assert (purchase.refused, purchase.failure, purchase.withheld) == (names(POISON), None, {})
    assert purchase.bought == dict.fromkeys(map(text_hash, CLEAN), REAL)
    assert refused_texts(database) == names(POISON)
    assert sorted(poisoned.texts) == sorted(CLEAN)
    assert each_has_its_own_vector(database, CLEAN)
    assert poisoned.attempts <= 1 + 2 * 2 * log2(len(CLAUSES))
    assert booked_as_logged(database, poisoned)
    assert claimed(database) == 0


def test_a_refused_text_is_never_offered_again(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    make_service(provider).buy(wanted(*CLAUSES))
    asked = poisoned.attempts
    again = make_service(provider).buy(wanted(*CLAUSES))
    assert (again.refused, len(again.bought), poisoned.attempts) == (names(POISON), len(CLEAN), asked)
    make_service(provider).buy(wanted("Something new.", *POISON))
    assert (poisoned.attempts, poisoned.texts[-1]) == (asked + 1, "Something new.")


def test_what_one_model_refuses_may_be_offered_to_another(database: Database) -> None:
    with database.connection() as conn:
        refused.note(conn, MODEL, ["a", "b"])
        refused.note(conn, MODEL, ["b", "c"])
        refused.note(conn, MODEL, [])
    assert refused.known(database, MODEL, ["a", "c", "d"]) == {"a", "c"}
    assert refused.known(database, "another", ["a"]) == set()


@pytest.mark.parametrize("count", [1, 2])
def test_texts_all_refused_for_what_they_hold_are_noted(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI, count: int
) -> None:
    purchase = make_service(provider).buy(wanted(*POISON[:count]))
    assert (purchase.refused, purchase.failure) == (names(POISON[:count]), None)
    assert refused_texts(database) == names(POISON[:count])


@pytest.mark.parametrize("count", [1, 2, 100])
def test_a_provider_that_refuses_everything_is_asked_little_and_nothing_is_held_against_the_texts(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI, count: int
) -> None:
    fake_openai.refuse = lambda _: NOT_ABOUT_INPUT
    purchase = make_service(provider).buy(wanted(*clauses(count)))
    assert purchase.failure is not None
    assert (purchase.failure.code, purchase.bought, purchase.refused) == ("bad_request", {}, set())
    assert refused_texts(database) == set()
    assert fake_openai.attempts <= 1 + 2 * log2(count) + 3
    assert claimed(database) == 0


def test_a_refusal_that_does_not_say_why_still_finds_the_one_text_at_fault(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.refuse = lambda inputs: NOT_ABOUT_INPUT if POISON[0] in inputs else None
    purchase = make_service(provider).buy(wanted(*CLAUSES))
    assert (purchase.refused, purchase.failure) == (names(POISON[:1]), None)
    assert sorted(fake_openai.texts) == sorted(set(CLAUSES) - {POISON[0]})


def test_a_request_that_is_only_too_long_is_bought_in_parts(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.refuse = lambda inputs: Refuse(400, "max_tokens_per_request") if len(inputs) > 10 else None
    purchase = make_service(provider).buy(wanted(*CLAUSES))
    assert (len(purchase.bought), purchase.refused, purchase.failure) == (len(CLAUSES), set(), None)
    assert sorted(fake_openai.texts) == sorted(CLAUSES)


def test_a_limit_reached_in_the_middle_keeps_what_was_bought_and_refuses_the_rest(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    purchase = make_service(provider, hourly_requests=5).buy(wanted(*CLAUSES))
    assert purchase.failure is not None
    assert (purchase.failure.code, purchase.failure.kind) == ("hour_limit", "budget")
    assert poisoned.attempts == 5
    assert set(purchase.bought) == names(poisoned.texts) == names(list(cached(database, CLAUSES)))
    assert 0 < len(purchase.bought) < len(CLEAN)
    assert purchase.refused <= names(POISON)
    assert claimed(database) == 0


def test_the_search_goes_on_where_it_was_stopped(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    make_service(provider, hourly_requests=5).buy(wanted(*CLAUSES))
    purchase = make_service(provider).buy(wanted(*CLAUSES))
    assert (purchase.refused, len(purchase.bought)) == (names(POISON), len(CLEAN))
    assert sorted(poisoned.texts) == sorted(CLEAN)


def test_the_search_does_not_use_the_retry_budget(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    purchase = make_service(provider, retry_share=0.0, retry_floor=0).buy(wanted(*CLAUSES))
    assert (purchase.refused, purchase.failure) == (names(POISON), None)
    kinds = [row[0] for row in database.fetch("SELECT kind FROM tvdb.requests ORDER BY id")]
    assert kinds == ["first", *["bisection"] * (poisoned.attempts - 1)]


def test_a_failure_in_the_middle_is_tried_again_and_the_search_goes_on(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    poisoned.script = in_turn(None, faults.server_error(), None, faults.server_error())
    purchase = make_service(provider).buy(wanted(*CLAUSES))
    assert (purchase.refused, purchase.failure) == (names(POISON), None)
    assert sorted(poisoned.texts) == sorted(CLEAN)


def test_a_provider_that_fails_in_the_middle_ends_the_search(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    def script(arrival: Arrival) -> Fault | None:
        return faults.invalid_key() if arrival.number > 4 else None

    poisoned.script = script
    purchase = make_service(provider).buy(wanted(*CLAUSES))
    assert purchase.failure is not None
    assert (purchase.failure.code, poisoned.attempts) == ("auth", 5)
    assert set(purchase.bought) == names(poisoned.texts)


def test_a_refused_text_has_no_stand_in(
    database: Database, make_service: Make, provider: OpenAIClient, poisoned: FakeOpenAI
) -> None:
    purchase = make_service(HybridClient(provider)).buy(wanted(*CLAUSES))
    assert purchase.refused == names(POISON)
    assert set(purchase.bought.values()) == {REAL}


def test_refused_texts_never_open_the_breaker(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.poison = lambda _: True
    service = make_service(provider)
    service.buy(wanted(*CLAUSES))
    assert fake_openai.attempts > 5
    assert (service.breaker.state().state, service.breaker.state().failures) == ("closed", 0)
