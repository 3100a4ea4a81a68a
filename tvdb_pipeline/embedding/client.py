"""What an embedding client is, and how it fails.

Belongs here: the protocol and the provider's error type. Does not: any client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from tvdb_pipeline.errors import TvdbError

DIMENSIONS: Final = 1536
Vectors = npt.NDArray[np.float32]
"""float32, shape (n, 1536), rows of unit length."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """vectors: one row a text, in the order of the texts; tokens: what the provider says it used."""

    vectors: Vectors
    tokens: int


class EmbeddingClient(Protocol):
    """One way of turning texts into vectors.

    model: the name written beside every vector; paid: whether calls cost money and so pass the ledger;
    fallback: the client used, provisionally, where this one cannot answer.
    """

    @property
    def model(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    @property
    def fallback(self) -> EmbeddingClient | None: ...

    def embed(self, texts: Sequence[str]) -> Embedded:
        """One request for up to 2,048 texts and 300,000 tokens. Raises ProviderError."""
        ...


Billed = Literal["no", "unknown"]
TRANSIENT: Final = frozenset({"timeout", "connection", "rate_limit", "overload", "malformed_response"})
"""Codes worth another attempt within seconds; every other refusal needs somebody to act, or time to pass."""


class ProviderError(TvdbError):
    """The provider did not answer with vectors.

    retryable: the same texts may succeed later, so their document is deferred; billed: whether the attempt may have cost
    money all the same.
    """

    def __init__(self, code: str, message: str, *, retryable: bool, billed: Billed = "no") -> None:
        super().__init__(code, message, kind="provider", retryable=retryable)
        self.billed: Billed = billed
