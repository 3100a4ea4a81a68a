"""Parsing processes: what happens to one document happens to that document only."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pool import ParseJob, ParseResult, ParserPool
from tvdb_pipeline_tests.pdf_writer import BOGUS_ENCRYPTION, Page, pdf

SENTENCE = "This policy covers the insured building."


def pool(workers: int = 1, timeout: float = 60.0) -> ParserPool:
    return ParserPool(workers, ParseOptions(), timeout, 2048)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., ParseJob]:
    """Makes a job for a PDF of one sentence, or of the bytes given."""

    def make(key: str, data: bytes | None = None) -> ParseJob:
        file = tmp_path / key
        file.write_bytes(pdf(Page().text(72, 100, SENTENCE)) if data is None else data)
        return ParseJob(key, file, PDF)

    return make


@pytest.fixture
def hanging(tmp_path: Path) -> ParseJob:
    """A job that never ends: a pipe nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    return ParseJob("hanging", tmp_path / "pipe", PDF)


def text(result: ParseResult) -> str:
    assert isinstance(result.parsed, bytes), result.parsed
    return ParsedDocument.from_json(result.parsed).elements[0].text


def refusal(result: ParseResult) -> TvdbError:
    assert isinstance(result.parsed, TvdbError)
    return result.parsed


def workers() -> list[int]:
    """The parsing processes this process has started and that still run."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return [pid for pid in pids if b"tvdb_pipeline.parsing.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_documents_are_parsed_in_another_process(job: Callable[..., ParseJob]) -> None:
    with pool() as parsers:
        (result,) = parsers.parse([job("a")])
        assert (result.key, text(result)) == ("a", SENTENCE)
        assert result.seconds > 0
        assert len(workers()) == 1
    assert workers() == []


def test_a_process_serves_many_documents(job: Callable[..., ParseJob]) -> None:
    with pool() as parsers:
        keys = [result.key for result in parsers.parse([job("a"), job("b")])]
        before = workers()
        (result,) = parsers.parse([job("c")])
        assert workers() == before
    assert sorted(keys) == ["a", "b"]
    assert text(result) == SENTENCE


def test_refusals_come_back_typed_and_the_others_are_parsed(job: Callable[..., ParseJob]) -> None:
    jobs = [job("good"), job("cut", b"%PDF-1.4\n"), job("locked", pdf(Page(), trailer=BOGUS_ENCRYPTION)), job("fine")]
    with pool() as parsers:
        results = {result.key: result for result in parsers.parse(jobs)}
        assert len(workers()) == 1, "a refusal does not cost the process"
    assert text(results["good"]) == text(results["fine"]) == SENTENCE
    assert isinstance(refusal(results["cut"]), DocumentRefused)
    assert (refusal(results["cut"]).code, refusal(results["locked"]).code) == ("corrupt", "encrypted")


def test_a_file_that_is_gone_is_a_failure_of_that_document(job: Callable[..., ParseJob], tmp_path: Path) -> None:
    with pool() as parsers:
        results = {result.key: result for result in parsers.parse([ParseJob("gone", tmp_path / "gone", PDF), job("a")])}
    error = refusal(results["gone"])
    assert (error.code, error.retryable) == ("parser_error", True)
    assert str(tmp_path) not in error.message
    assert text(results["a"]) == SENTENCE


def test_a_document_that_hangs_ends_alone(job: Callable[..., ParseJob], hanging: ParseJob) -> None:
    with pool(timeout=5.0) as parsers:
        results = {result.key: result for result in parsers.parse([job("before"), hanging, job("after")])}
    error = refusal(results["hanging"])
    assert (error.code, error.kind, error.retryable) == ("parse_timeout", "document", True)
    assert text(results["before"]) == text(results["after"]) == SENTENCE
    assert workers() == []


def test_results_of_others_arrive_while_one_is_slow(job: Callable[..., ParseJob], hanging: ParseJob) -> None:
    order: list[str] = []
    with pool(workers=2) as parsers:
        for result in parsers.parse([hanging, job("a"), job("b")]):
            order.append(result.key)
            if len(order) == 2:
                # Both others are done: now the pipe gives its reader something, and the slow one ends.
                hanging.file.write_bytes(b"no pdf")
    assert sorted(order[:2]) == ["a", "b"]
    assert order[2:] == ["hanging"]


@pytest.fixture
def killer() -> Iterator[threading.Thread]:
    """A thread that kills the first parsing process it sees, once that has begun to work."""

    def kill() -> None:
        wait_for(lambda: bool(workers()))
        time.sleep(0.3)
        os.kill(workers()[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    yield thread
    thread.join()


def test_a_process_that_dies_ends_its_document_alone(
    job: Callable[..., ParseJob], hanging: ParseJob, killer: threading.Thread
) -> None:
    with pool() as parsers:
        results = parsers.parse([hanging, job("a"), job("b")])
        killer.start()
        found = {result.key: result for result in results}
    error = refusal(found["hanging"])
    assert (error.code, error.kind, error.retryable) == ("parser_crashed", "document", True)
    assert text(found["a"]) == text(found["b"]) == SENTENCE


def test_a_process_that_died_while_idle_is_noticed_and_replaced(job: Callable[..., ParseJob]) -> None:
    with pool() as parsers:
        list(parsers.parse([job("a")]))
        (pid,) = workers()
        os.kill(pid, signal.SIGKILL)
        results = {result.key: result for result in parsers.parse([job("b"), job("c")])}
    assert text(results["c"]) == SENTENCE
    assert isinstance(results["b"].parsed, bytes) or refusal(results["b"]).retryable


def test_a_process_has_no_secret_in_its_environment(
    job: Callable[..., ParseJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("TVDB_DATABASE_URL", "postgresql://secret")
    with pool() as parsers:
        list(parsers.parse([job("a")]))
        (pid,) = workers()
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"secret" not in environment
    assert b"DO_NOT_TRACK=1" in environment


def test_memory_is_capped(job: Callable[..., ParseJob]) -> None:
    with ParserPool(1, ParseOptions(), 60.0, 1024) as parsers:
        list(parsers.parse([job("a")]))
        (pid,) = workers()
        limits = Path(f"/proc/{pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max address space")]
    assert line.split()[3:5] == [str(1024 << 20)] * 2


def test_an_endless_file_runs_into_the_cap_and_ends_alone(job: Callable[..., ParseJob]) -> None:
    with ParserPool(1, ParseOptions(), 60.0, 1024) as parsers:
        results = {r.key: r for r in parsers.parse([ParseJob("endless", Path("/dev/zero"), PDF), job("a")])}
    assert refusal(results["endless"]).code == "out_of_memory"
    assert text(results["a"]) == SENTENCE


def test_closing_early_leaves_no_process_behind(job: Callable[..., ParseJob]) -> None:
    parsers = pool()
    results = parsers.parse([job(str(number)) for number in range(5)])
    next(results)
    results.close()  # pyright: ignore[reportAttributeAccessIssue]
    parsers.close()
    assert workers() == []
