"""Vectors from OpenAI, or any endpoint that speaks its embeddings protocol, through the openai SDK.

Belongs here: one HTTP attempt and what its failure means. Does not: retrying, limits, or the cache: the SDK's own retries
are off, because they would hide paid attempts from the ledger.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tvdb_pipeline.embedding.client import DIMENSIONS, Billed, Embedded, EmbeddingClient, ProviderError, Vectors

if TYPE_CHECKING:
    import openai


class OpenAIClient:
    """The client of REAL mode. base_url None is OpenAI itself; timeout in seconds for one attempt."""

    paid = True
    fallback: EmbeddingClient | None = None

    def __init__(self, model: str, api_key: str, base_url: str | None, timeout: float) -> None:
        self.model = model
        self._arguments = {"api_key": api_key, "base_url": base_url, "timeout": timeout, "max_retries": 0}
        self._client: openai.OpenAI | None = None

    def embed(self, texts: Sequence[str]) -> Embedded:
        """One attempt. Raises ProviderError, typed by what went wrong."""
        import openai

        if self._client is None:
            self._client = openai.OpenAI(**cast(Any, self._arguments))
        options: dict[str, Any] = {"dimensions": DIMENSIONS} if self.model.startswith("text-embedding-3") else {}
        try:
            answer = self._client.embeddings.create(
                model=self.model, input=list(texts), encoding_format="base64", **options
            )
        except openai.OpenAIError as error:
            raise _classified(error) from error
        except ValueError as error:
            raise _malformed("is not JSON") from error
        return _checked(answer, len(texts))


def _checked(answer: object, expected: int) -> Embedded:
    """The answer as vectors, believing nothing of it: a proxy may have put a login page in its place."""
    data, usage = getattr(answer, "data", None), getattr(answer, "usage", None)
    tokens = getattr(usage, "total_tokens", None)
    if not isinstance(data, list) or not isinstance(tokens, int):
        raise _malformed("is not a list of vectors with their usage")
    return Embedded(_vectors(cast("list[Any]", data), expected), tokens)


def _vectors(data: Sequence[Any], expected: int) -> Vectors:
    """Rows put in the order of the texts by their `index`: the order of arrival means nothing."""
    if {getattr(item, "index", None) for item in data} != set(range(expected)) or len(data) != expected:
        raise _malformed("does not hold one vector for each text")
    vectors = np.empty((expected, DIMENSIONS), dtype=np.float32)
    for item in data:
        raw: object = item.embedding
        try:
            row = (
                np.frombuffer(base64.b64decode(raw), dtype="<f4")
                if isinstance(raw, str)
                else np.asarray(raw, dtype=np.float32)
            )
        except (ValueError, TypeError) as error:
            raise _malformed("holds a vector that cannot be decoded") from error
        if row.shape != (DIMENSIONS,):
            raise _malformed(f"holds a vector of {row.size} dimensions instead of {DIMENSIONS}")
        vectors[item.index] = row
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise _malformed("holds a vector that is zero or not finite")
    return vectors / norms


def _malformed(what: str) -> ProviderError:
    # It came with status 200, so it was billed.
    return ProviderError(
        "malformed_response",
        f"The provider's answer {what}; it is asked again later.",
        retryable=True,
        billed="unknown",
    )


def _classified(error: openai.OpenAIError) -> ProviderError:
    """The provider's failure as one of ours. Codes are looked at before the status: 429 means two different things."""
    import openai

    code = getattr(error, "code", None)
    if isinstance(error, openai.APITimeoutError):
        return ProviderError(
            "timeout", "The provider did not answer in time; it is asked again later.", retryable=True, billed="unknown"
        )
    if isinstance(error, openai.APIConnectionError):
        # A connection that was never made certainly cost nothing; one that broke may have.
        billed: Billed = "no" if type(error.__cause__).__name__ == "ConnectError" else "unknown"
        return ProviderError(
            "connection", "The provider could not be reached; it is asked again later.", retryable=True, billed=billed
        )
    if code == "insufficient_quota" or code == "billing_hard_limit_reached":
        return ProviderError(
            "quota", "The provider account has no credit left; add credit or raise its limit.", retryable=True
        )
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return ProviderError("auth", "The provider refused the key; correct OPENAI_API_KEY.", retryable=True)
    if isinstance(error, openai.RateLimitError):
        return ProviderError("rate_limit", "The provider asks to slow down; it is asked again later.", retryable=True)
    if isinstance(error, openai.APIStatusError) and error.status_code in (408, 409):
        return ProviderError(
            "timeout", "The provider gave up on the request; it is asked again later.", retryable=True, billed="unknown"
        )
    if isinstance(error, openai.APIStatusError) and error.status_code >= 500:
        return ProviderError("overload", "The provider is failing; it is asked again later.", retryable=True)
    if isinstance(error, openai.APIStatusError):
        return ProviderError(
            "bad_request", f"The provider refused the request with status {error.status_code}.", retryable=False
        )
    return _malformed("cannot be understood")
