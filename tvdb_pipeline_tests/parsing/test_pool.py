"""Parsing processes: what happens to one document happens to that document only, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.documents.page_shelf import PageShelf
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pool import ParseJob, ParseResult, ParserPool
from tvdb_pipeline_tests.parsing.drawn_page import drawn_page
from tvdb_pipeline_tests.pdf_writer import BOGUS_ENCRYPTION, Page, pdf

pytestmark = pytest.mark.usefixtures("no_warm_parsers")
SENTENCE = "This policy covers the insured building."
SCANNED_PAGES = 3


def pool(workers: int = 1, timeout: float = 60.0, page_timeout: float = 60.0) -> ParserPool:
    return ParserPool(workers, ParseOptions(), timeout, 2048, page_timeout)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., ParseJob]:
    """Makes a job for a PDF of one sentence, or of the bytes given."""

    def make(key: str, data: bytes | None = None) -> ParseJob:
        file = tmp_path / key
        file.write_bytes(pdf(Page().text(72, 100, SENTENCE)) if data is None else data)
        return ParseJob(key, file, PDF)

    return make


@pytest.fixture(scope="module")
def scan() -> bytes:
    """Pages that OCR takes a moment over, each with its number."""
    pages = [drawn_page((f"Policy page {number} of the scan",)) for number in range(1, SCANNED_PAGES + 1)]
    file = BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=72)
    return file.getvalue()


def parsed(result: ParseResult) -> ParsedDocument:
    assert isinstance(result.parsed, bytes), result.parsed
    return ParsedDocument.from_json(result.parsed)


def text(result: ParseResult) -> str:
    return parsed(result).elements[0].text


def refusal(result: ParseResult) -> TvdbError:
    assert isinstance(result.parsed, TvdbError)
    return result.parsed


def children(pid: int | str) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in file.read_text().split()]
        except OSError:
            continue
    return found


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def workers(of: int | str = "self") -> list[int]:
    """The parsing processes a process has started and that still run."""
    return [pid for pid in children(of) if b"tvdb_pipeline.parsing.worker" in command(pid)]


def confined() -> list[int]:
    """Those of them that decode; where namespaces are to be had each is a child of one that waits for it."""
    return [pid for worker in workers() for pid in (children(worker) or [worker])]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def kill_one_at_work() -> None:
    """Kill the first process that has used a second of processor time: it is at a page."""

    def at_work() -> list[int]:
        return [pid for pid in confined() if ticks(pid) > os.sysconf("SC_CLK_TCK")]

    found: list[int] = []
    wait_for(lambda: found.extend(at_work()) or found)
    os.kill(found[0], signal.SIGKILL)


def ticks(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])
    except OSError:
        return 0


def test_documents_are_parsed_in_another_process(job: Callable[..., ParseJob]) -> None:
    with pool() as parsers:
        (result,) = parsers.parse([job("a")])
        assert (result.key, text(result)) == ("a", SENTENCE)
        assert result.seconds > 0
        (worker,) = workers()
        (inner,) = confined()
        assert worker != inner or not Path("/proc/self/ns/pid_for_children").exists()
    assert workers() == []


def test_a_process_serves_many_documents_and_none_for_ever(job: Callable[..., ParseJob]) -> None:
    with pool() as parsers:
        keys = [result.key for result in parsers.parse([job("a"), job("b")])]
        before = workers()
        jobs = [job("c")] * 97
        assert {text(result) for result in parsers.parse(jobs)} == {SENTENCE}
        assert workers() == before
        list(parsers.parse([job("d"), job("e")]))
        assert workers() != before
    assert sorted(keys) == ["a", "b"]


def test_refusals_come_back_typed_and_the_others_are_parsed(job: Callable[..., ParseJob], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    jobs = [
        job("good"),
        job("cut", b"%PDF-1.4\n"),
        job("locked", pdf(Page(), trailer=BOGUS_ENCRYPTION)),
        ParseJob("gone", tmp_path / "gone", PDF),
        ParseJob("pipe", tmp_path / "pipe", PDF),
        ParseJob("endless", Path("/dev/zero"), PDF),
        job("fine"),
    ]
    with pool() as parsers:
        results = {result.key: result for result in parsers.parse(jobs)}
        assert len(workers()) == 1, "a refusal does not cost the process"
    assert text(results["good"]) == text(results["fine"]) == SENTENCE
    assert isinstance(refusal(results["cut"]), DocumentRefused)
    assert (refusal(results["cut"]).code, refusal(results["locked"]).code) == ("corrupt", "encrypted")
    for key in ("gone", "pipe", "endless"):
        error = refusal(results[key])
        assert (error.code, error.kind, error.retryable) == ("unreadable", "system", True)
        assert str(tmp_path) not in error.message


def test_a_file_over_the_memory_cap_is_refused_and_the_process_goes_on(job: Callable[..., ParseJob]) -> None:
    large = job("large", b"%PDF-1.4\n")
    os.truncate(large.file, 1500 << 20)
    with ParserPool(1, ParseOptions(), 60.0, 1024) as parsers:
        (result,) = parsers.parse([large])
        (small,) = parsers.parse([job("a")])
    error = refusal(result)
    assert (error.code, error.kind, error.retryable) == ("out_of_memory", "document", True)
    assert text(small) == SENTENCE


def test_a_process_has_no_secret_and_no_other_file(
    job: Callable[..., ParseJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("TVDB_DATABASE_URL", "postgresql://secret")
    with pool() as parsers:
        list(parsers.parse([job("a")]))
        for pid in {*workers(), *confined()}:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"secret" not in environment
            assert b"DO_NOT_TRACK=1" in environment
        (inner,) = confined()
        links = {str(link.readlink()).split(":")[0] for link in Path(f"/proc/{inner}/fd").iterdir()}
        (line,) = [x for x in Path(f"/proc/{inner}/limits").read_text().splitlines() if x.startswith("Max address")]
    assert links <= {"/dev/null", "socket", "/null"}, "the documents it has read are closed"
    assert line.split()[3:5] == [str(2048 << 20)] * 2


def test_a_process_that_died_while_idle_is_replaced(job: Callable[..., ParseJob]) -> None:
    with pool() as parsers:
        list(parsers.parse([job("a")]))
        (pid,) = confined()
        os.kill(pid, signal.SIGKILL)
        results = list(parsers.parse([job("b"), job("c")]))
        assert len(workers()) == 1
    assert [text(result) for result in results] == [SENTENCE] * 2


@pytest.fixture(scope="module")
def in_one_go(scan: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The scan as one process reads it from its first page to its last."""
    file = tmp_path_factory.mktemp("scan") / "scan"
    file.write_bytes(scan)
    with ParserPool(1, ParseOptions(), 60.0, 2048, first_slice=600.0) as parsers:
        (result,) = parsers.parse([ParseJob("scan", file, PDF)])
    assert isinstance(result.parsed, bytes)
    document = parsed(result)
    assert document.coverage()["ocr"] == SCANNED_PAGES
    return result.parsed


def bomb(pages: int, deadly: set[int]) -> bytes:
    """A PDF in which a deadly page shows a form that shows another ten times, and so on: ten to the twelfth letters."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (pages, b" ".join(b"%d 0 R" % (30 + 2 * n) for n in range(pages))),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number in range(pages):
        shown = b"/F Do" if number + 1 in deadly else b"BT /T 12 Tf 72 700 Td (%s) Tj ET" % SENTENCE.encode()
        objects[30 + 2 * number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources"
            b" << /Font << /T 3 0 R >> /XObject << /F 4 0 R >> >> >>" % (31 + 2 * number)
        )
        objects[31 + 2 * number] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown)
    for number in range(4, 16):
        shown = b"/F Do " * 10 if number < 15 else b"BT /T 12 Tf 72 700 Td (x) Tj ET"
        objects[number] = (
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /T 3 0 R >> /XObject << /F"
            b" %d 0 R >> >> /Length %d >>\nstream\n%s\nendstream" % (number + 1, len(shown), shown)
        )
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % item for item in sorted(objects.items()))
    return b"%PDF-1.4\n" + body + b"trailer\n<< /Root 1 0 R /Size 99 >>\n%%EOF\n"


def test_a_page_that_never_ends_is_given_up_alone_and_named(job: Callable[..., ParseJob]) -> None:
    with pool(workers=2, page_timeout=1.5) as parsers:
        results = {r.key: r for r in parsers.parse([job("bomb", bomb(6, {2})), *[job(f"{n}") for n in range(3)]])}
    pages = parsed(results["bomb"]).pages
    assert [page.route for page in pages] == ["text", "failed", "text", "text", "text", "text"]
    assert pages[1].note in ("reading it took too long", "reading it ended the parsing process")
    assert {text(results[f"{n}"]) for n in range(3)} == {SENTENCE}


def test_where_page_after_page_ends_the_process_the_rest_is_given_up(job: Callable[..., ParseJob]) -> None:
    with ParserPool(1, ParseOptions(), 60.0, 300) as parsers:
        results = {r.key: r for r in parsers.parse([job("bomb", bomb(10, set(range(2, 11)))), job("a")])}
    pages = parsed(results["bomb"]).pages
    assert [page.route for page in pages] == ["text"] + ["failed"] * 9
    notes = [page.note for page in pages[1:]]
    assert set(notes) == {"reading it ended the parsing process", "not read: several pages ended the parsing process"}
    assert text(results["a"]) == SENTENCE


PARENT = """
import sys
from pathlib import Path
from tvdb_pipeline.documents.page_shelf import PageShelf
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.pool import ParseJob, ParserPool
shelf = PageShelf(Path(sys.argv[2]), "scan", "v1")
with ParserPool(2, ParseOptions(), 60.0, 2048, first_slice=0.1) as parsers:
    list(parsers.parse([ParseJob("scan", Path(sys.argv[1]), "application/pdf", shelf)]))
"""


def test_what_was_read_before_parent_and_process_were_killed_is_not_read_again_and_the_document_is_the_same(
    job: Callable[..., ParseJob], scan: bytes, in_one_go: bytes, tmp_path: Path
) -> None:
    scanned, root = job("scan", scan), tmp_path / "shelf"
    shelf = PageShelf(root, "scan", "v1")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, scanned.file, root], env={**os.environ, "TMPDIR": str(temporary)}
    ) as parent:
        wait_for(lambda: shelf.kept()[1])
        started = [pid for worker in workers(parent.pid) for pid in [worker, *children(worker)]]
        parent.kill()
    assert started
    # No orphan stays, whatever it was at.
    wait_for(lambda: not any(b"parsing.worker" in command(pid) for pid in started))
    _, before = shelf.kept()
    assert 0 < len(before) < SCANNED_PAGES
    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    with pool(workers=2) as parsers:
        (result,) = parsers.parse([ParseJob("scan", scanned.file, PDF, shelf)])
    killer.join()
    assert result.parsed == in_one_go
    _, after = shelf.kept()
    assert {number: after[number] for number in before} == before
    ranges = [int(path.name.split("-")[1]) for path in (root / "scan" / "v1").glob("[0-9]*-*")]
    assert len(ranges) == len(set(ranges)) > 1


def test_closing_early_ends_all_at_once_and_leaves_nothing_behind(
    job: Callable[..., ParseJob], scan: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    threads, open_files = threading.active_count(), descriptors()
    parsers = pool(workers=2)
    results = parsers.parse([job("a"), *[job(str(number), scan) for number in range(4)]])
    next(results)
    wait_for(lambda: len(confined()) == 2)
    assert len(list(temporary.iterdir())) == 2
    pids = [*workers(), *confined()]
    results.close()  # pyright: ignore[reportAttributeAccessIssue]
    parsers.close()
    assert workers() == []
    assert not any(b"parsing.worker" in command(pid) for pid in pids)
    assert list(temporary.iterdir()) == []
    assert (threading.active_count(), descriptors()) == (threads, open_files)
    parsers.close()


@pytest.fixture
def nothing_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")


@pytest.mark.usefixtures("nothing_to_start")
def test_where_no_process_can_be_started_each_document_says_so(job: Callable[..., ParseJob]) -> None:
    open_files = descriptors()
    with pool() as parsers:
        results = list(parsers.parse([job("a"), job("b")]))
    assert {(refusal(result).code, refusal(result).retryable) for result in results} == {("parser_start", True)}
    assert descriptors() == open_files
