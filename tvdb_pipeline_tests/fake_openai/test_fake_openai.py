"""The fake provider itself: its protocol, its faults, and that its charge log tells the truth about them."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline_tests.fake_openai import faults, protocol
from tvdb_pipeline_tests.fake_openai.charges import busiest
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, Refuse, in_turn
from tvdb_pipeline_tests.fake_openai.process import ServerProcess
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

MODEL = "text-embedding-3-small"
TEXTS = ["Fire is covered.", "Flood is not.", "See part 3."]
TOKENS = sum(count_tokens(text) for text in TEXTS)
HELLO_WORLD = [15339, 1917]
HALF_A_PAIR = b'{"model": "m", "input": "\\ud800"}'
HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
"""One for all tests, because it is slow to make; a new connection for each request."""


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


def post(fake: FakeOpenAI, given: object = TEXTS, timeout: float = 10, **options: Any) -> httpx.Response:
    request = {"model": MODEL, "input": given, **options}
    return HTTP.post(f"{fake.url}/embeddings", json=request, timeout=timeout, headers={"X-Client-Request-Id": "r-1"})


def sdk(fake: FakeOpenAI, timeout: float = 10) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", base_url=fake.url, max_retries=0, timeout=timeout)


def data(fake: FakeOpenAI, fault: Fault, given: object = TEXTS, **options: Any) -> list[dict[str, Any]]:
    """The rows of an answer with status 200 and that fault in it."""
    fake.script = in_turn(fault)
    answer = post(fake, given, **options)
    assert answer.status_code == 200
    return answer.json()["data"]


def indexes(rows: list[dict[str, Any]]) -> list[int]:
    return [row["index"] for row in rows]


def connected(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0))


def test_the_sdk_gets_vectors_in_either_encoding(fake: FakeOpenAI) -> None:
    with sdk(fake) as client:
        plain = client.embeddings.create(model=MODEL, input=TEXTS, encoding_format="float")
        encoded = client.embeddings.create(model=MODEL, input=TEXTS)
    assert np.allclose([row.embedding for row in plain.data], [row.embedding for row in encoded.data])
    assert plain.usage.total_tokens == encoded.usage.total_tokens == TOKENS
    assert (fake.texts, fake.keys, fake.attempts) == ([*TEXTS, *TEXTS], {"sk-test"}, 2)
    assert fake.bill_nano == 2 * TOKENS * 20


@pytest.mark.parametrize("cheap", [False, True])
@pytest.mark.parametrize("dimensions", [None, 1, 512, 1536])
def test_vectors_have_the_size_asked_for_and_unit_length(cheap: bool, dimensions: int | None) -> None:
    with FakeOpenAI(cheap_vectors=cheap) as fake:
        options = {} if dimensions is None else {"dimensions": dimensions}
        first, again = (post(fake, **options).json()["data"] for _ in range(2))
    rows = np.asarray([row["embedding"] for row in first])
    assert rows.shape == (3, dimensions or 1536)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert first == again


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("hello world", ["hello world"]),
        (["hello world", "a"], ["hello world", "a"]),
        (HELLO_WORLD, ["hello world"]),
        ([HELLO_WORLD, [0]], ["hello world", "!"]),
        ([[3922, 233]], ["tokens [3922, 233]"]),
    ],
    ids=["text", "texts", "tokens", "token-arrays", "half-a-character"],
)
def test_each_form_of_input_is_understood(fake: FakeOpenAI, given: object, texts: list[str]) -> None:
    answer = post(fake, given).json()
    assert (fake.texts, len(answer["data"])) == (texts, len(texts))
    assert answer["usage"]["total_tokens"] == fake.charges[0].tokens == fake.log[0].tokens


@pytest.mark.parametrize(
    "given",
    [None, 7, "", [], [""], ["a", ""], [[]], [[], [1]], ["a", [1]], [1, "a"], [-1], [100_256], [True], [1.5], {}],
    ids=repr,
)
def test_senseless_input_is_refused_and_not_charged(fake: FakeOpenAI, given: object) -> None:
    answer = post(fake, given)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")
    assert [(entry.outcome, entry.charged) for entry in fake.log] == [("400 invalid_input", False)]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"input": "a"}', b'{"model": "m"}', HALF_A_PAIR])
def test_a_senseless_body_is_refused_and_not_charged(fake: FakeOpenAI, body: bytes) -> None:
    assert HTTP.post(f"{fake.url}/embeddings", content=body).status_code == 400
    assert (fake.attempts, fake.bill_nano) == (1, 0)


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 1537}, "dimensions"),
        ({"dimensions": True}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_options_out_of_range_are_refused(fake: FakeOpenAI, options: dict[str, Any], param: str) -> None:
    answer = post(fake, **options)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ([[0]] * 2048, True),
        ([[0]] * 2049, False),
        ([0] * 8191, True),
        ([0] * 8192, False),
        ([[0] * 7500] * 40, True),
        ([*[[0] * 7500] * 40, [0]], False),
        ("hail " * 9000, False),
    ],
    ids=["2048", "2049", "8191", "8192", "300000", "300001", "text"],
)
def test_the_documented_limits_are_kept_exactly(given: object, accepted: bool) -> None:
    read = protocol.read(json.dumps({"model": MODEL, "input": given}).encode())
    assert isinstance(read, protocol.Asked) == accepted


@pytest.mark.parametrize(
    ("refuse", "kind", "code"),
    [
        (faults.rate_limited(), openai.RateLimitError, "rate_limit_exceeded"),
        (faults.insufficient_quota(), openai.RateLimitError, "insufficient_quota"),
        (faults.billing_hard_limit(), openai.BadRequestError, "billing_hard_limit_reached"),
        (faults.invalid_key(), openai.AuthenticationError, "invalid_api_key"),
        (faults.bad_input(), openai.BadRequestError, "invalid_input"),
        (faults.model_not_found(), openai.NotFoundError, "model_not_found"),
        (faults.server_error(), openai.InternalServerError, "server_error"),
        (faults.unavailable(), openai.InternalServerError, "overloaded"),
        (Refuse(529, None, type="busy"), openai.InternalServerError, None),
    ],
    ids=lambda value: value.outcome if isinstance(value, Refuse) else "",
)
def test_the_sdk_tells_refusals_apart_and_none_is_charged(
    fake: FakeOpenAI, refuse: Refuse, kind: type[openai.APIStatusError], code: str | None
) -> None:
    fake.script = in_turn(refuse)
    with sdk(fake) as client, pytest.raises(kind) as refused:
        client.embeddings.create(model=MODEL, input=TEXTS)
    assert (refused.value.code, refused.value.param, refused.value.type) == (code, refuse.param, refuse.type)
    assert [(entry.outcome, entry.charged, entry.tokens) for entry in fake.log] == [(refuse.outcome, False, TOKENS)]
    assert (fake.bill_nano, fake.attempts) == (0, 1)


def test_refusals_carry_headers(fake: FakeOpenAI) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    own = Refuse(429, "rate_limit_exceeded", retry_after=20, headers={"retry-after-ms": "7"})
    fake.script = in_turn(faults.rate_limited(0.5), faults.unavailable(date), own, faults.rate_limited())
    answers = [post(fake) for _ in range(4)]
    assert [answer.headers.get("retry-after") for answer in answers] == ["0.5", date, "20", None]
    assert answers[2].headers["retry-after-ms"] == "7"


def test_the_limits_left_are_told_with_every_answer(fake: FakeOpenAI) -> None:
    left = {"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "6m0s"}
    fake.limits_left, fake.script = lambda: left, in_turn(None, faults.server_error(), faults.NotJson())
    answers = [post(fake) for _ in range(3)]
    assert [{name: answer.headers[name] for name in left} for answer in answers] == [left] * 3
    assert [answer.headers["x-request-id"] for answer in answers] == ["req_1", "req_2", "req_3"]


def test_poison_is_refused_whatever_surrounds_it_and_not_charged(fake: FakeOpenAI) -> None:
    fake.poison = lambda text: "Flood" in text
    fake.script = in_turn(None, faults.Reset(charged=True), faults.NotJson())
    for _ in range(3):
        error = post(fake).json()["error"]
        assert (error["param"], error["code"]) == ("input", "invalid_input")
    assert post(fake, TEXTS[:1]).status_code == 200
    assert fake.texts == TEXTS[:1]


@pytest.mark.parametrize("charged", [True, False])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.Reset, httpx.ReadError),
        (partial(faults.Hang, 0.05), httpx.RemoteProtocolError),
        (partial(faults.Hang, 30), httpx.ReadTimeout),
        (partial(faults.Trickle, 0.05), httpx.RemoteProtocolError),
        (faults.Truncate, httpx.RemoteProtocolError),
    ],
    ids=["reset", "short-hang", "long-hang", "trickle", "truncate"],
)
def test_broken_answers_are_charged_as_they_say(
    fake: FakeOpenAI, fault: Callable[[bool], Fault], error: type[Exception], charged: bool
) -> None:
    fake.script = in_turn(fault(charged))
    with pytest.raises(error):
        post(fake, timeout=0.5)
    (entry,) = fake.log
    assert (entry.charged, entry.outcome, entry.tokens) == (charged, type(fault(charged)).__name__, TOKENS)
    assert (entry.answered is None) == fault(charged).silent
    assert fake.bill_nano == (TOKENS * 20 if charged else 0)
    assert post(fake).status_code == 200


def test_a_reset_is_a_reset_and_not_an_end(fake: FakeOpenAI) -> None:
    fake.script = in_turn(faults.Reset(charged=True))
    with pytest.raises(httpx.ReadError, match="reset"):
        post(fake)


def test_a_trickle_defeats_a_timeout_that_watches_single_reads(fake: FakeOpenAI) -> None:
    fake.script = in_turn(faults.Trickle(0.6, charged=True))
    with pytest.raises(httpx.RemoteProtocolError):
        post(fake, timeout=0.3)


def test_closing_the_server_ends_every_pause() -> None:
    script = in_turn(faults.Hang(600, charged=True), faults.Trickle(600, charged=True))
    with ThreadPoolExecutor(3) as pool:
        with FakeOpenAI(script=script) as fake:
            asked = [pool.submit(post, fake, timeout=60) for _ in range(2)]
            while fake.attempts < 2:
                threading.Event().wait(0.01)
            fake.latency = 600
            asked.append(pool.submit(post, fake, timeout=60))
            while fake.attempts < 3:
                threading.Event().wait(0.01)
        assert [type(each.exception()) for each in asked[:2]] == [httpx.RemoteProtocolError] * 2
        assert asked[2].result().status_code == 200


def test_rows_come_shuffled_short_twice_or_misnumbered(fake: FakeOpenAI) -> None:
    right = post(fake).json()["data"]
    shuffled = data(fake, faults.Shuffle())
    assert shuffled != right
    assert sorted(shuffled, key=lambda row: row["index"]) == right
    assert data(fake, faults.Short()) == right[:2]
    assert indexes(data(fake, faults.Duplicate())) == [0, 1, 0]
    assert indexes(data(fake, faults.Misnumbered())) == [1, 2, 3]
    assert len(fake.charges) == fake.attempts == 5


def test_a_single_row_can_be_spoiled_as_well(fake: FakeOpenAI) -> None:
    assert data(fake, faults.Short(), "a") == []
    assert indexes(data(fake, faults.Duplicate(), "a")) == [0, 0]
    assert indexes(data(fake, faults.Shuffle(), "a")) == [0]


def test_vectors_come_too_short_zero_or_not_finite(fake: FakeOpenAI) -> None:
    assert [len(row["embedding"]) for row in data(fake, faults.WrongDimension())] == [512] * 3
    assert not any(data(fake, faults.ZeroVector())[0]["embedding"])
    assert data(fake, faults.NotFinite())[0]["embedding"][0] is None
    encoded = data(fake, faults.NotFinite(), encoding_format="base64")[0]["embedding"]
    assert np.isnan(np.frombuffer(base64.b64decode(encoded), dtype="<f4")).sum() == 1
    assert len(fake.charges) == fake.attempts == 4


def test_an_answer_comes_without_usage_or_is_a_login_page(fake: FakeOpenAI) -> None:
    fake.script = in_turn(faults.NoUsage(), faults.NotJson(), faults.NotJson(charged=False))
    assert "usage" not in post(fake).json()
    page = post(fake)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
    post(fake)
    assert [entry.charged for entry in fake.log] == [True, True, False]


def test_a_script_sees_each_arrival_and_goes_on_as_it_was_told(fake: FakeOpenAI) -> None:
    seen = list[Arrival]()
    turns = in_turn(None, faults.server_error(), then=faults.rate_limited())

    def script(arrival: Arrival) -> Fault | None:
        seen.append(arrival)
        return turns(arrival)

    fake.script = script
    assert [post(fake, text).status_code for text in ("a", "b", "c", "d")] == [200, 500, 429, 429]
    assert [(each.number, each.inputs, each.request_id) for each in seen[:2]] == [(1, ["a"], "r-1"), (2, ["b"], "r-1")]


def test_turns_are_taken_once_each_by_many_clients(fake: FakeOpenAI) -> None:
    fake.cheap_vectors, fake.script = True, in_turn(*[faults.server_error(), None] * 20, then=faults.rate_limited())
    with ThreadPoolExecutor(8) as pool:
        states = [each.status_code for each in pool.map(partial(post, fake), map(str, range(48)))]
    assert [states.count(status) for status in (200, 500, 429)] == [20, 20, 8]
    assert [entry.number for entry in fake.log] == list(range(1, 49))
    assert len(fake.charges) == sum(entry.charged for entry in fake.log) == 20


def test_the_log_holds_every_arrival_with_its_id_and_times(fake: FakeOpenAI) -> None:
    post(fake)
    HTTP.post(f"{fake.url}/embeddings", json={"model": MODEL, "input": "a"})
    first, second = fake.log
    assert (first.number, first.request_id, first.inputs, first.outcome) == (1, "r-1", 3, "answered")
    assert (second.number, second.request_id, second.inputs) == (2, "", 1)
    assert first.answered is not None
    assert first.arrived <= first.answered <= second.arrived
    assert [(charge.number, charge.request_id) for charge in fake.charges] == [(1, "r-1"), (2, "")]


def test_another_path_is_not_found_and_no_arrival(fake: FakeOpenAI) -> None:
    assert HTTP.post(f"{fake.url}/completions", json={}).status_code == 404
    assert fake.attempts == 0


@pytest.mark.parametrize(
    ("arrived", "most"),
    [([], 0), ([5.0], 1), ([0.0, 1.0], 1), ([0.0, 0.5, 1.0], 2), ([3.0, 0.1, 0.2, 0.9, 1.05], 4)],
)
def test_the_busiest_window_is_half_open(arrived: list[float], most: int) -> None:
    assert busiest(arrived, 1.0) == most


def test_a_client_that_vanishes_is_logged_once_charged_and_passed_over_in_silence(
    fake: FakeOpenAI, capfd: pytest.CaptureFixture[str]
) -> None:
    # So large an answer cannot all be in flight when its reader goes.
    body = json.dumps({"model": MODEL, "input": ["hail"] * 2048, "encoding_format": "base64"}).encode()
    fake.cheap_vectors = True
    for until in (0, 100):
        with closing(connected(fake.url)) as client:
            head = f"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
            if until:
                client.recv(until)
    while fake.attempts < 2:
        threading.Event().wait(0.01)
    fake.__exit__(None, None, None)
    assert [(entry.charged, entry.outcome) for entry in fake.log] == [(True, "answered")] * 2
    assert len(fake.charges) == 2
    assert capfd.readouterr().err == ""
    fake.__enter__()


def test_a_request_cut_off_in_the_middle_never_arrived(fake: FakeOpenAI, capfd: pytest.CaptureFixture[str]) -> None:
    with closing(connected(fake.url)) as client:
        client.sendall(b'POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"model"')
    assert post(fake).status_code == 200
    assert fake.attempts == 1
    assert capfd.readouterr().err == ""


def test_a_process_of_its_own_serves_many_clients_and_ends_cleanly(tmp_path: Path) -> None:
    def ask(client: int) -> None:
        with httpx.Client(headers={"X-Client-Request-Id": f"client-{client}"}) as kept_alive:
            for number in range(10):
                request = {"model": MODEL, "input": f"text {client} {number}", "encoding_format": "base64"}
                kept_alive.post(f"{server.url}/embeddings", json=request, timeout=30).raise_for_status()

    with ServerProcess(tmp_path / "log") as server, ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
        entries = server.entries()
        assert sorted(entry.number for entry in entries) == list(range(1, 81))
        assert {entry.request_id for entry in entries} == {f"client-{client}" for client in range(8)}
        assert all(entry.charged and entry.answered for entry in entries)
        assert server.bill_nano == sum(entry.tokens for entry in entries) * 20
        assert server.busiest(3600) == 80
    assert server.exit_code == 0


def test_a_process_told_to_end_finishes_its_answers(tmp_path: Path) -> None:
    body = json.dumps({"model": MODEL, "input": "a"}).encode()
    with ServerProcess(tmp_path / "log", latency=30) as server:
        waiting = connected(server.url)
        waiting.sendall(b"POST /v1/embeddings HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        # Connections are accepted in order: when this one is answered, the one that waits has its thread.
        assert HTTP.post(f"{server.url}/completions", json={}).status_code == 404
    with closing(waiting):
        assert waiting.recv(15) == b"HTTP/1.1 200 OK"
    assert (server.exit_code, len(server.entries())) == (0, 1)
