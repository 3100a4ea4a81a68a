"""What an embedding client is.

Belongs here: the protocol, its answer, and the exchange a call is part of. Does not: any client, or what failures mean
(`failures`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""float32, shape (n, 1536), rows of unit length."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """vectors: one row a text, in the order of the texts; tokens: what the provider says it used.

    rest_seconds: how long the provider asks to be left alone before the next request.
    """

    vectors: Vectors
    tokens: int
    rest_seconds: float = 0.0


def forget(_: bytes) -> None:
    """Keeps nothing of an answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP attempt: the name the provider is told, and who keeps the answer's bytes as they come in.

    send_by: time.monotonic() after which it must not leave any more, because its reservation could run out meanwhile.
    """

    request_id: str = ""
    keep: Callable[[bytes], None] = forget
    send_by: float = math.inf


class EmbeddingClient(Protocol):
    """One way of turning texts into vectors.

    model: the name written beside every vector; paid: whether calls cost money and so pass the ledger and the breaker;
    fallback: the client used, provisionally, where this one cannot answer; subject: what the breaker judges, so that another
    endpoint or key starts with a clean slate.
    """

    @property
    def model(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    @property
    def fallback(self) -> EmbeddingClient | None: ...
    @property
    def subject(self) -> str: ...

    def embed(self, texts: Sequence[str], exchange: Exchange | None = None) -> Embedded:
        """One request for up to 2,048 texts and 300,000 tokens. Raises ProviderError."""
        ...
