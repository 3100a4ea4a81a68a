"""The server: bound to 127.0.0.1 on a free port, answering POST /v1/embeddings.

Belongs here: requests and answers. Does not: judging our ledger by them. Vectors are those of the mock client, so that searches
over them make sense; inputs over the documented limits are refused as OpenAI refuses them.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.embedding.mock import MockClient

MAX_INPUTS, MAX_TOKENS, MAX_INPUT_TOKENS = 2048, 300_000, 8191
NANO_DOLLARS_A_TOKEN = 20


@dataclass
class Charge:
    """One request that was answered with vectors, and so billed."""

    inputs: list[str]
    tokens: int


@dataclass
class Refusal:
    """An answer that is not vectors: an HTTP status with OpenAI's error body."""

    status: int
    code: str
    message: str = "refused by the test"


@dataclass
class FakeOpenAI:
    """Use as a context manager. latency: seconds before each answer; refuse: asked for each request, may return a Refusal.

    charges: what was billed, in order; attempts: how many requests arrived at all; keys: the API keys they carried.
    """

    latency: float = 0.0
    refuse: Callable[[list[str]], Refusal | None] = lambda _: None
    charges: list[Charge] = field(default_factory=list)
    attempts: int = 0
    keys: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def texts(self) -> list[str]:
        """Every text that was embedded, in order."""
        return [text for charge in self.charges for text in charge.inputs]

    @property
    def bill_nano(self) -> int:
        """What a provider would charge, in nano-dollars."""
        return sum(charge.tokens for charge in self.charges) * NANO_DOLLARS_A_TOKEN

    def __enter__(self) -> FakeOpenAI:
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Status and body for one request."""
        raw = request["input"]
        inputs: list[str] = [raw] if isinstance(raw, str) else list(raw)
        with self._lock:
            self.attempts += 1
            self.keys.add(key)
        time.sleep(self.latency)
        refusal = _limits(inputs) or self.refuse(inputs)
        if refusal is not None:
            return refusal.status, {"error": {"message": refusal.message, "type": "error", "code": refusal.code}}
        tokens = sum(count_tokens(text) for text in inputs)
        with self._lock:
            self.charges.append(Charge(inputs, tokens))
        vectors = MockClient().embed(inputs).vectors
        as_base64 = request.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(row.tobytes()).decode() if as_base64 else row.tolist(),
            }
            for index, row in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return 200, {"object": "list", "data": data, "model": request["model"], "usage": usage}


def _limits(inputs: list[str]) -> Refusal | None:
    counts = [count_tokens(text) for text in inputs]
    if not inputs or not all(inputs):
        return Refusal(400, "invalid_input", "input must not be empty")
    if len(inputs) > MAX_INPUTS or sum(counts) > MAX_TOKENS or max(counts) > MAX_INPUT_TOKENS:
        return Refusal(400, "context_length_exceeded", "too many inputs or tokens")
    return None


def _handler(fake: FakeOpenAI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/v1/embeddings":
                status, answer = 404, {"error": {"message": "no such path", "code": "not_found"}}
            else:
                status, answer = fake.answer(body, self.headers.get("Authorization", "").removeprefix("Bearer "))
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: test output is for tests."""

    return Handler
