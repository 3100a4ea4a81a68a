"""The real openai SDK against a server of our own: which refusal is which failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest

from tvdb_pipeline.embedding.answers import read_answer
from tvdb_pipeline.embedding.client import Exchange
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.models import DIMENSIONS
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline_tests.embedding.provider import KEY, TEXTS, client
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Fault, Refuse, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.fake_openai.vectors import meaningful


def refusal(provider: OpenAIClient, fake: FakeOpenAI, fault: Fault) -> ProviderError:
    """What became of one attempt, which must have been one."""
    fake.script = in_turn(then=fault)
    with pytest.raises(ProviderError) as refused:
        provider.embed(TEXTS)
    assert fake.attempts == 1, "the SDK must not repeat by itself"
    return refused.value


def test_vectors_and_tokens_arrive_over_http(provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    answer = provider.embed(TEXTS)
    assert answer.vectors.dtype == np.float32
    assert np.allclose(answer.vectors, meaningful(TEXTS), atol=1e-6)
    assert answer.tokens == fake_openai.charges[0].tokens
    assert (fake_openai.texts, fake_openai.keys, fake_openai.attempts) == (TEXTS, {KEY}, 1)


def test_one_client_serves_many_requests(provider: OpenAIClient) -> None:
    assert [provider.embed([text]).vectors.shape for text in TEXTS] == [(1, DIMENSIONS)] * 3


def test_rows_are_put_in_the_order_of_the_texts(provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    fake_openai.script = in_turn(faults.Shuffle())
    assert np.allclose(provider.embed(TEXTS).vectors, meaningful(TEXTS), atol=1e-6)


def test_the_provider_is_told_the_id_and_the_bytes_are_kept(provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    kept = bytearray()
    answer = provider.embed(TEXTS, Exchange("key-2", kept.extend))
    assert [entry.request_id for entry in fake_openai.log] == ["key-2"]
    assert np.array_equal(read_answer(bytes(kept), 3).vectors, answer.vectors)


def test_another_endpoint_model_or_key_is_another_subject() -> None:
    clients = [client("http://a"), client("http://b"), client("http://a", key="k"), client("http://a", model="m")]
    assert len({each.subject for each in clients}) == 4
    assert client("http://a").subject == clients[0].subject
    assert not any(KEY in each.subject for each in clients)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "invalid_api_key", "auth"),
        (401, None, "auth"),
        (403, "unsupported_country_region_territory", "auth"),
        (400, "invalid_api_key", "auth"),
        (400, "account_deactivated", "auth"),
        (429, "access_terminated", "auth"),
        (429, "insufficient_quota", "quota"),
        (403, "insufficient_quota", "quota"),
        (400, "billing_hard_limit_reached", "quota"),
        (403, "billing_not_active", "quota"),
        (429, "billing_not_active", "quota"),
        (402, None, "quota"),
        (404, "model_not_found", "wrong_model"),
        (400, "model_not_found", "wrong_model"),
        (404, None, "wrong_model"),
        (405, None, "wrong_model"),
        (429, "rate_limit_exceeded", "rate_limit"),
        (429, None, "rate_limit"),
        (408, None, "timeout"),
        (409, None, "timeout"),
        (500, "server_error", "overload"),
        (503, "overloaded", "overload"),
        (502, None, "overload"),
        (504, None, "overload"),
        (522, None, "overload"),
        (529, None, "overload"),
        (400, None, "bad_request"),
        (413, None, "bad_request"),
        (422, "invalid_value", "bad_request"),
    ],
)
def test_each_refusal_is_told_apart(
    provider: OpenAIClient, fake_openai: FakeOpenAI, status: int, code: str | None, expected: str
) -> None:
    error = refusal(provider, fake_openai, Refuse(status, code, f"Said of {TEXTS[0]} with {KEY}"))
    unsure = expected == "timeout" or status in (502, 504, 522)
    assert (error.code, error.billed, error.reached) == (expected, "unknown" if unsure else "no", True)
    assert not any(secret in f"{error} {error!r}" for secret in (*TEXTS, KEY, "Said of"))


def test_a_quota_that_only_its_type_names_is_a_quota(provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    assert refusal(provider, fake_openai, Refuse(429, None, type="insufficient_quota")).code == "quota"


IN_100_SECONDS = object()
FULL = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}


@pytest.mark.parametrize("status", [429, 503, 408])
@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"retry_after": 7}, 7),
        ({"retry_after": IN_100_SECONDS}, 100),
        ({"headers": {"retry-after-ms": "1500"}}, 1.5),
        ({"headers": {"Retry-After-Ms": "1500"}, "retry_after": 9}, 1.5),
        ({"headers": FULL}, 360),
        ({}, None),
    ],
    ids=["seconds", "date", "ms", "ms-first", "reset", "nothing"],
)
def test_a_refusal_carries_how_long_to_wait(
    provider: OpenAIClient, fake_openai: FakeOpenAI, status: int, told: dict[str, Any], seconds: float | None
) -> None:
    if told.get("retry_after") is IN_100_SECONDS:
        told = {"retry_after": format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)}
    error = refusal(provider, fake_openai, Refuse(status, None, **told))
    assert error.retry_after == (seconds if seconds is None else pytest.approx(seconds, abs=20))


@pytest.mark.parametrize(
    ("code", "param", "about_input"),
    [
        ("invalid_input", "input", True),
        (None, "input", True),
        ("context_length_exceeded", None, True),
        ("string_above_max_length", None, True),
        ("invalid_value", "dimensions", None),
        ("max_tokens_per_request", None, None),
        (None, None, None),
    ],
)
def test_a_400_says_whether_an_input_is_at_fault(
    provider: OpenAIClient, fake_openai: FakeOpenAI, code: str | None, param: str | None, about_input: bool | None
) -> None:
    error = refusal(provider, fake_openai, Refuse(400, code, param=param))
    assert (error.code, error.about_input, error.billed) == ("bad_request", about_input, "no")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.Short(), "malformed_response"),
        (faults.Duplicate(), "malformed_response"),
        (faults.Misnumbered(), "malformed_response"),
        (faults.ZeroVector(), "malformed_response"),
        (faults.NotFinite(), "malformed_response"),
        (faults.NotJson(), "malformed_response"),
        (faults.NoUsage(), "malformed_response"),
        (faults.WrongDimension(), "wrong_dimension"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Fault) else value,
)
def test_an_answer_that_cannot_be_used_was_billed_all_the_same(
    provider: OpenAIClient, fake_openai: FakeOpenAI, fault: Fault, code: str
) -> None:
    error = refusal(provider, fake_openai, fault)
    assert (error.code, error.billed, error.reached) == (code, "unknown", True)
    assert fake_openai.bill_nano > 0
    assert not any(secret in error.message for secret in (*TEXTS, KEY))


def test_the_room_that_is_left_is_read_from_a_good_answer(provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    fake_openai.limits_left = lambda: {"x-ratelimit-remaining-tokens": "1", "x-ratelimit-reset-tokens": "4s"}
    assert provider.embed(TEXTS).rest_seconds == 4
    fake_openai.limits_left = dict
    assert provider.embed(TEXTS).rest_seconds == 0
