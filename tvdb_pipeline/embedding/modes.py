"""Which client serves: MOCK, REAL or HYBRID.

Belongs here: the choice, made once from the settings. Does not: how a client works.
"""

from __future__ import annotations

from collections.abc import Sequence

from tvdb_pipeline.embedding.client import Embedded, EmbeddingClient, Exchange
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.settings import ServiceMode, Settings


class HybridClient:
    """The real client, with the mock to fall back on; vectors of the fallback are provisional."""

    paid = True

    def __init__(self, real: EmbeddingClient) -> None:
        self._real = real
        self.model = real.model
        self.subject = real.subject
        self.fallback: EmbeddingClient | None = MockClient()

    def embed(self, texts: Sequence[str], exchange: Exchange | None = None) -> Embedded:
        """One attempt at the real client."""
        return self._real.embed(texts, exchange)


class UnavailableClient:
    """REAL mode without what it needs: every call is refused before a socket is opened."""

    paid = False
    subject = ""
    fallback: EmbeddingClient | None = None

    def __init__(self, model: str, refusal: ProviderError) -> None:
        self.model = model
        self.refusal = refusal

    def embed(self, texts: Sequence[str], exchange: Exchange | None = None) -> Embedded:
        """Always refuses."""
        raise self.refusal


class ProvisionalClient(MockClient):
    """HYBRID without a key or agreement: the mock, its vectors marked as standing in for real ones."""


def create_client(settings: Settings, mode: ServiceMode | None = None) -> EmbeddingClient:
    """The client for a mode (the settings' own for None). Opens nothing yet."""
    mode = mode or settings.service_mode
    if mode == "MOCK":
        return MockClient()
    refusal = _missing(settings)
    if refusal is not None:
        return ProvisionalClient() if mode == "HYBRID" else UnavailableClient(settings.embedding_model, refusal)
    assert settings.openai_api_key is not None
    real = OpenAIClient(
        settings.embedding_model,
        settings.openai_api_key.get_secret_value(),
        settings.openai_base_url,
        settings.request_timeout_seconds,
    )
    return HybridClient(real) if mode == "HYBRID" else real


def _missing(settings: Settings) -> ProviderError | None:
    if settings.openai_api_key is None:
        return ProviderError("no_key")
    if settings.provider_agreement is None:
        return ProviderError("no_agreement")
    return None
