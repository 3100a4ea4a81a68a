"""Which model vectors are from.

Belongs here: the names and sizes all parts agree on; what defines the assets reads it, so it imports nothing heavy. Does not:
any client.
"""

from __future__ import annotations

from typing import Final

from tvdb_pipeline.settings import Settings

DIMENSIONS: Final = 1536
"""Components of every vector: what text-embedding-3-small gives unasked."""
MOCK_MODEL: Final = "mock-hashed-1536"


def is_mock(model: str) -> bool:
    """Whether vectors of `model` come without a provider."""
    return model.startswith("mock-")


def model_of(settings: Settings) -> str:
    """The model a document's vectors are wanted of."""
    return MOCK_MODEL if settings.service_mode == "MOCK" else settings.embedding_model
