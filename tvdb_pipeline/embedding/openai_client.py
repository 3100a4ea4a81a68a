"""Vectors from OpenAI, or any endpoint that speaks its embeddings protocol, through the openai SDK.

Belongs here: one HTTP attempt and which failure it ended in. Does not: retrying, limits, or the cache: the SDK's own retries
are off, because they would hide paid attempts from the ledger.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from tvdb_pipeline.embedding.answers import most_bytes, read_answer
from tvdb_pipeline.embedding.client import Embedded, EmbeddingClient, Exchange
from tvdb_pipeline.embedding.deadline import Deadline
from tvdb_pipeline.embedding.failures import Billed, ProviderError
from tvdb_pipeline.embedding.models import DIMENSIONS
from tvdb_pipeline.embedding.pacing import rest, retry_after

if TYPE_CHECKING:
    import httpx2
    import openai

REQUEST_ID_HEADER: Final = "X-Client-Request-Id"
"""OpenAI keeps it beside the request (API reference, debugging requests); it holds no secret and no text."""
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_KEY_CODES = frozenset({"invalid_api_key", "account_deactivated", "access_terminated"})
_INPUT_CODES = frozenset(
    {"context_length_exceeded", "invalid_input", "string_above_max_length", "array_above_max_length"}
)
_GATEWAY_STATUSES = frozenset({502, 504, 520, 522, 524})


class OpenAIClient:
    """The client of REAL mode. base_url None is OpenAI itself; timeout in seconds for one attempt."""

    paid = True
    fallback: EmbeddingClient | None = None

    def __init__(self, model: str, api_key: str, base_url: str | None, timeout: float) -> None:
        self.model = model
        self.subject = hashlib.sha256(f"{base_url} {model} {api_key}".encode()).hexdigest()[:16]
        self._timeout = timeout
        self._arguments = {"api_key": api_key, "base_url": base_url, "timeout": timeout, "max_retries": 0}
        self._client: openai.OpenAI | None = None
        self._local = threading.local()
        self._making = threading.Lock()

    def embed(self, texts: Sequence[str], exchange: Exchange | None = None) -> Embedded:
        """One attempt. Raises ProviderError."""
        import openai
        from httpx2 import HTTPError, StreamError

        with Deadline(self._timeout) as deadline:
            self._local.trace = deadline.trace
            try:
                body, headers = self._post(texts, exchange or Exchange())
                answer = read_answer(body, len(texts))
            except (openai.OpenAIError, HTTPError, StreamError) as error:
                raise (ProviderError("timeout") if deadline.passed else _classified(error)) from error
            except ProviderError as error:
                if deadline.passed:
                    raise ProviderError("timeout") from error
                raise
        return Embedded(answer.vectors, answer.tokens, rest(headers, answer.tokens))

    def _post(self, texts: Sequence[str], exchange: Exchange) -> tuple[bytes, dict[str, str]]:
        """Body and headers (names in small letters) of a good answer."""
        options: dict[str, Any] = {"dimensions": DIMENSIONS} if self.model.startswith("text-embedding-3") else {}
        body = bytearray()
        endpoint = self._opened().embeddings
        if time.monotonic() > exchange.send_by:
            raise ProviderError("late", reached=False)
        with endpoint.with_streaming_response.create(
            model=self.model,
            input=list(texts),
            encoding_format="base64",
            extra_headers={REQUEST_ID_HEADER: exchange.request_id},
            **options,
        ) as response:
            for piece in response.iter_bytes():
                exchange.keep(piece)
                body += piece
                if len(body) > most_bytes(len(texts)):
                    raise ProviderError("malformed_response", detail="It does not end.")
            return bytes(body), {name.lower(): value for name, value in response.headers.items()}

    def _opened(self) -> openai.OpenAI:
        """The SDK's client: a connection for each attempt, so that the deadline knows it, and no redirects: a second request,
        to whoever it may be, would be one that the ledger does not know of."""
        import httpx2
        import openai

        with self._making:
            if self._client is None:
                http = openai.DefaultHttpxClient(
                    follow_redirects=False,
                    limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
                    event_hooks={"request": [self._watch]},
                )
                self._client = openai.OpenAI(**cast(Any, self._arguments), http_client=http)
            return self._client

    def _watch(self, request: httpx2.Request) -> None:
        request.extensions["trace"] = self._local.trace


def _classified(error: Exception) -> ProviderError:
    """The exception as one of our failures. Codes are looked at before the status: 429 means two different things."""
    import httpx2
    import openai

    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return ProviderError("timeout")
    if isinstance(error, openai.APIStatusError):
        return _refused(error)
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        # A connection that was never made certainly cost nothing; one that broke may have.
        cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
        if isinstance(cause, httpx2.ConnectError | httpx2.UnsupportedProtocol):
            return ProviderError("connection", billed="no", reached=False)
        return ProviderError("connection")
    return ProviderError("malformed_response")


def _refused(error: openai.APIStatusError) -> ProviderError:
    """A refusal with a status and, usually, a code."""
    code, status = error.code or error.type, error.status_code
    wait = retry_after({name.lower(): value for name, value in error.response.headers.items()})
    if code in _QUOTA_CODES or status == 402:
        return ProviderError("quota")
    if code in _KEY_CODES or status in (401, 403):
        return ProviderError("auth")
    if code == "model_not_found" or status in (404, 405) or status < 400:
        return ProviderError("wrong_model")
    if status == 429:
        return ProviderError("rate_limit", retry_after=wait)
    if status in (408, 409):
        return ProviderError("timeout", retry_after=wait)
    if status >= 500:
        # A gateway that gave up waiting knows nothing of what happened behind it.
        billed: Billed = "unknown" if status in _GATEWAY_STATUSES else "no"
        return ProviderError("overload", billed=billed, retry_after=wait)
    about_input = True if error.param == "input" or code in _INPUT_CODES else None
    return ProviderError("bad_request", detail=f"Status {status}.", about_input=about_input)
