"""The real openai SDK against a server of our own: order, encodings, and what each failure means."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest

from tvdb_pipeline.embedding.client import DIMENSIONS, TRANSIENT, ProviderError
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI, Refusal

MODEL, KEY = "text-embedding-3-small", "sk-test"
TEXTS = ["Fire is covered.", "Flood is not.", "See part 3."]


def client(url: str, timeout: float = 10) -> OpenAIClient:
    return OpenAIClient(MODEL, KEY, url, timeout)


@contextmanager
def answering(status: int, body: bytes, kind: str = "application/json") -> Iterator[str]:
    """The URL of a server that gives this one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def body(rows: list[tuple[int, Any]], tokens: int = 9) -> bytes:
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in rows]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json.dumps({"object": "list", "data": data, "model": MODEL, "usage": usage}).encode()


def axis(position: int, length: float = 1.0, size: int = DIMENSIONS) -> list[float]:
    return [length if index == position else 0.0 for index in range(size)]


def refusal(url: str, timeout: float = 10) -> ProviderError:
    with pytest.raises(ProviderError) as refused:
        client(url, timeout).embed(TEXTS)
    assert refused.value.kind == "provider"
    assert not any(text in refused.value.message for text in (*TEXTS, KEY))
    return refused.value


def test_vectors_and_tokens_arrive_over_http(fake_openai: FakeOpenAI) -> None:
    answer = client(fake_openai.url).embed(TEXTS)
    assert answer.vectors.dtype == np.float32
    assert np.allclose(answer.vectors, MockClient().embed(TEXTS).vectors, atol=1e-6)
    assert answer.tokens == fake_openai.charges[0].tokens
    assert (fake_openai.texts, fake_openai.keys, fake_openai.attempts) == (TEXTS, {KEY}, 1)


def test_one_client_serves_many_requests(fake_openai: FakeOpenAI) -> None:
    one = client(fake_openai.url)
    assert [one.embed([text]).vectors.shape for text in TEXTS] == [(1, DIMENSIONS)] * 3


def test_rows_are_put_in_the_order_of_their_index() -> None:
    with answering(200, body([(2, axis(2)), (0, axis(0)), (1, axis(1))])) as url:
        vectors = client(url).embed(TEXTS).vectors
    assert [int(row.argmax()) for row in vectors] == [0, 1, 2]


def test_base64_and_plain_lists_are_both_understood() -> None:
    encoded = base64.b64encode(np.asarray(axis(1), dtype="<f4").tobytes()).decode()
    with answering(200, body([(0, axis(0)), (1, encoded), (2, axis(2))])) as url:
        vectors = client(url).embed(TEXTS).vectors
    assert [int(row.argmax()) for row in vectors] == [0, 1, 2]


def test_vectors_are_brought_to_unit_length() -> None:
    with answering(200, body([(index, axis(index, 3.5)) for index in range(3)])) as url:
        assert np.allclose(np.linalg.norm(client(url).embed(TEXTS).vectors, axis=1), 1)


@pytest.mark.parametrize(
    ("status", "code", "expected", "retryable", "billed"),
    [
        (401, "invalid_api_key", "auth", True, "no"),
        (403, "unsupported_country", "auth", True, "no"),
        (429, "rate_limit_exceeded", "rate_limit", True, "no"),
        (429, "insufficient_quota", "quota", True, "no"),
        (400, "invalid_request_error", "bad_request", False, "no"),
        (404, "model_not_found", "bad_request", False, "no"),
        (500, "server_error", "overload", True, "no"),
        (503, "overloaded", "overload", True, "no"),
    ],
)
def test_refusals_are_told_apart(
    fake_openai: FakeOpenAI, status: int, code: str, expected: str, retryable: bool, billed: str
) -> None:
    fake_openai.refuse = lambda _: Refusal(status, code)
    error = refusal(fake_openai.url)
    assert (error.code, error.retryable, error.billed) == (expected, retryable, billed)
    assert fake_openai.attempts == 1, "the SDK must not retry by itself"


def test_only_what_may_pass_by_itself_is_tried_again() -> None:
    assert {"rate_limit", "overload", "timeout", "connection"} <= TRANSIENT
    assert not TRANSIENT & {"auth", "quota", "bad_request", "no_key"}


def test_nobody_listening_is_a_connection_failure() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = refusal(f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
    assert (error.code, error.retryable) == ("connection", True)


def test_a_silent_server_is_a_timeout_that_may_have_been_billed(fake_openai: FakeOpenAI) -> None:
    fake_openai.latency = 1.0
    error = refusal(fake_openai.url, timeout=0.2)
    assert (error.code, error.retryable, error.billed) == ("timeout", True, "unknown")


@pytest.mark.parametrize(
    "answer",
    [
        body([(0, axis(0)), (1, axis(1))]),
        body([(0, axis(0)), (1, axis(1)), (1, axis(2))]),
        body([(0, axis(0)), (1, axis(1)), (3, axis(2))]),
        body([(index, axis(0)) for index in range(4)]),
        body([(0, axis(0)), (1, axis(1)), (2, axis(0, size=512))]),
        body([(0, axis(0)), (1, axis(1)), (2, "AAA=")]),
        body([(0, axis(0)), (1, axis(1)), (2, [0.0] * DIMENSIONS)]),
        body([(0, axis(0)), (1, axis(1)), (2, None)]),
        body([(0, axis(0)), (1, axis(1)), (2, axis(2, float("nan")))]),
        body([(0, axis(0)), (1, axis(1)), (2, axis(2, float("inf")))]),
        body([]),
        b'{"object": "list", "data": null}',
        b"{}",
        b"[]",
        b"not json",
        b"",
    ],
    ids=["short", "twice", "gap", "surplus", "dimensions", "bytes", "zero", "none", "nan", "infinite", "empty", "null",
         "object", "list", "junk", "nothing"],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_a_provider_failure_that_was_billed(answer: bytes) -> None:
    with answering(200, answer) as url:
        error = refusal(url)
    assert (error.code, error.retryable, error.billed) == ("malformed_response", True, "unknown")


def test_a_login_page_in_place_of_an_answer_is_a_provider_failure() -> None:
    with answering(200, b"<html>Please log in</html>", "text/html") as url:
        assert refusal(url).code == "malformed_response"


def test_an_answer_without_usage_is_a_provider_failure() -> None:
    whole = json.loads(body([(index, axis(index)) for index in range(3)]))
    del whole["usage"]
    with answering(200, json.dumps(whole).encode()) as url:
        assert refusal(url).code == "malformed_response"
