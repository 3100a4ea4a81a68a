"""The real openai SDK where the connection itself fails: what was billed, and how long it may take."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline_tests.embedding.provider import KEY, TEXTS, client
from tvdb_pipeline_tests.embedding.raw_server import GOOD, spent, whole, writing
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Fault, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

TIMEOUT, SLACK = 0.4, 2.0
"""Seconds. The slack is for a slow machine; what is watched for here would take for ever."""
ENDLESS = b"Connection: close\r\n\r\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Loading the SDK takes longer than any timeout here."""
    with pytest.raises(ProviderError):
        client("gopher://127.0.0.1/v1").embed(TEXTS)


def refusal(url: str, timeout: float = TIMEOUT) -> ProviderError:
    with pytest.raises(ProviderError) as refused:
        client(url, timeout).embed(TEXTS)
    assert not any(secret in refused.value.message for secret in (*TEXTS, KEY))
    return refused.value


def test_nobody_listening_costs_nothing_and_reached_nobody() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = refusal(f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
    assert (error.code, error.billed, error.reached) == ("connection", "no", False)


def test_a_scheme_nobody_speaks_reaches_nobody() -> None:
    error = refusal("gopher://127.0.0.1/v1")
    assert (error.code, error.billed, error.reached) == ("connection", "no", False)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.Reset(charged=True), "connection"),
        (faults.Truncate(), "connection"),
        (faults.Hang(0.01, charged=True), "connection"),
        (faults.Hang(60, charged=True), "timeout"),
        (faults.Trickle(60, charged=True), "timeout"),
    ],
    ids=["reset", "truncated", "hung-up", "hang", "trickle"],
)
def test_a_connection_that_breaks_may_have_been_billed(fake_openai: FakeOpenAI, fault: Fault, code: str) -> None:
    fake_openai.script = in_turn(then=fault)
    began = time.monotonic()
    error = refusal(fake_openai.url)
    assert (error.code, error.billed, error.reached) == (code, "unknown", True)
    assert spent(began) < TIMEOUT + SLACK
    assert fake_openai.attempts == 1


def dripping(first: bytes, piece: bytes) -> Iterator[bytes]:
    """Pieces, none of them late, for as long as a test can bear."""
    ends = time.monotonic() + TIMEOUT + 2 * SLACK
    yield first
    while time.monotonic() < ends:
        yield piece


@pytest.mark.parametrize(
    ("first", "piece"),
    [(GOOD, b"X-Drip: 1\r\n"), (GOOD + ENDLESS, b" "), (BUSY, b"X-Drip: 1\r\n"), (BUSY + ENDLESS, b" ")],
    ids=["head", "body", "head-of-refusal", "body-of-refusal"],
)
def test_no_part_of_an_answer_may_drip_for_ever(first: bytes, piece: bytes) -> None:
    with writing(dripping(first, piece), pause=0.05) as server:
        began = time.monotonic()
        assert refusal(server.url).code in ("timeout", "overload")
        assert spent(began) < TIMEOUT + SLACK


def test_an_answer_without_end_is_cut_off_soon() -> None:
    sent = list[int]()

    def endless() -> Iterator[bytes]:
        yield GOOD + ENDLESS
        while True:
            sent.append(65_536)
            yield b" " * 65_536

    with writing(endless()) as server:
        error = refusal(server.url, 20)
    assert (error.code, error.billed) == ("malformed_response", "unknown")
    assert sum(sent) < 50_000_000, "what lies in the buffers between us is all that may be sent beyond the limit"


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect", "302 Found"])
def test_no_text_follows_a_redirect(status: str) -> None:
    with writing(whole(b"{}")) as other:
        head = f"HTTP/1.1 {status}\r\nLocation: {other.url}/embeddings\r\n".encode()
        with writing(whole(b"", head)) as server:
            error = refusal(server.url, 5)
        assert (len(server.asked), other.asked) == (1, [])
    assert (error.billed, error.failure.breaker) != ("no", "ignores"), "the endpoint is wrong, not the texts"


@pytest.mark.parametrize("head", [b"SMTP ready\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_a_server_that_speaks_something_else_may_have_been_billed(head: bytes) -> None:
    with writing([head]) as server:
        error = refusal(server.url)
    assert (error.code, error.billed) == ("connection", "unknown")


def test_compressed_junk_is_no_answer() -> None:
    with writing(whole(b"not gzip", GOOD + b"Content-Encoding: gzip\r\n")) as server:
        assert refusal(server.url).code == "malformed_response"


def test_a_refusal_that_is_no_json_is_told_by_its_status() -> None:
    with writing(whole(b"<html>503</html>", BUSY)) as server:
        assert refusal(server.url).code == "overload"
    odd = json.dumps({"error": {"code": 5, "param": ["input"], "type": None}}).encode()
    with writing(whole(odd, b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n")) as server:
        assert refusal(server.url).code == "bad_request"
