"""Which client serves in which mode."""

from __future__ import annotations

from typing import Any

import pytest

from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.embedding.modes import HybridClient, ProvisionalClient, UnavailableClient, create_client
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.settings import ServiceMode, Settings

MODEL = "text-embedding-3-small"
READY: dict[str, Any] = {"openai_api_key": "sk-test", "provider_agreement": "synthetic"}
LACKING: list[dict[str, Any]] = [
    {},
    {"openai_api_key": "sk-test"},
    {"provider_agreement": "covered"},
]


def settings(mode: ServiceMode, **values: Any) -> Settings:
    return Settings(service_mode=mode, **values)


@pytest.mark.parametrize("values", [*LACKING, READY])
def test_mock_mode_is_the_mock_whatever_else_is_set(values: dict[str, Any], no_network: list[object]) -> None:
    client = create_client(settings("MOCK", **values))
    assert type(client) is MockClient
    assert client.embed(["text"]).vectors.shape == (1, 1536)
    assert no_network == []


def test_real_mode_is_the_provider_with_nothing_to_fall_back_on() -> None:
    client = create_client(settings("REAL", **READY))
    assert type(client) is OpenAIClient
    assert (client.model, client.paid, client.fallback) == (MODEL, True, None)


def test_hybrid_mode_is_the_provider_with_the_mock_to_fall_back_on() -> None:
    client = create_client(settings("HYBRID", **READY))
    assert type(client) is HybridClient
    assert (client.model, client.paid) == (MODEL, True)
    assert isinstance(client.fallback, MockClient)
    assert client.fallback.model == MOCK_MODEL


@pytest.mark.parametrize("values", LACKING)
def test_hybrid_mode_without_key_or_agreement_is_the_mock_quietly(
    values: dict[str, Any], no_network: list[object]
) -> None:
    client = create_client(settings("HYBRID", **values))
    assert type(client) is ProvisionalClient
    assert (client.model, client.paid) == (MOCK_MODEL, False)
    assert client.embed(["text"]).vectors.shape == (1, 1536)
    assert no_network == []


@pytest.mark.parametrize(
    ("values", "code"), [(LACKING[0], "no_key"), (LACKING[1], "no_agreement"), (LACKING[2], "no_key")]
)
def test_real_mode_without_key_or_agreement_refuses_without_a_socket(
    values: dict[str, Any], code: str, no_network: list[object]
) -> None:
    client = create_client(settings("REAL", **values))
    assert isinstance(client, UnavailableClient)
    assert client.model == MODEL
    with pytest.raises(ProviderError) as refused:
        client.embed(["text"])
    assert (refused.value.code, refused.value.retryable, refused.value.billed) == (code, True, "no")
    assert no_network == []


def test_a_mode_given_overrules_the_settings() -> None:
    assert type(create_client(settings("REAL", **READY), "MOCK")) is MockClient
    assert type(create_client(settings("MOCK", **READY), "REAL")) is OpenAIClient


@pytest.mark.parametrize("mode", ["MOCK", "REAL", "HYBRID"])
def test_making_a_client_opens_nothing(mode: ServiceMode, no_network: list[object]) -> None:
    create_client(settings(mode, **READY))
    assert no_network == []
