"""A parsing process that was taken over: whatever it says, the job ends, and nothing untrue is taken in."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.conversation import MOST_ATTACHED, MOST_MESSAGE, Answer, Conversation, Nonsense
from tvdb_pipeline.parsing.frames import Channel, FrameTooLarge
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.page_records import to_record
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.parsed import PageReport

Frame = tuple[bytes, bytes]
END: Frame = (b"E", b"")


def page(number: int, *, says: int | None = None) -> Frame:
    return b"P", b"%d\n" % number + to_record(PageLines(PageReport(says or number, "blank"), 612, 792))


def refusal(**changes: Any) -> Frame:
    record = {"code": "corrupt", "kind": "document", "message": "It is damaged.", "retryable": False, **changes}
    return b"R", json.dumps(record).encode()


def job(pages: list[int] | None = None, do: str = "read", seconds: float = 30.0) -> dict[str, Any]:
    options = asdict(ParseOptions(max_pages=100))
    times = {"slice": 1.0, "seconds": seconds, "page_seconds": seconds}
    return {"do": do, "media_type": "application/pdf", "options": options, "pages": pages, **times}


Ask = Callable[..., Answer]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Gives a job to one who answers with these frames, and hears it to the end."""
    ours, theirs = socket.socketpair()
    threads: list[threading.Thread] = []

    def answer(frames: list[Frame]) -> None:
        channel = Channel(theirs)
        _, _, file = channel.receive_file()
        assert file is not None
        os.close(file)
        try:
            for tag, body in frames:
                channel.send(tag, body)
        except OSError:
            pass  # nobody listens any more

    def run(frames: list[Frame], **about: Any) -> Answer:
        threads.append(threading.Thread(target=answer, args=(frames,)))
        threads[0].start()
        talk = Conversation(Channel(ours), job(**about))
        file = os.memfd_create("document")
        try:
            talk.hold(file)
            return talk.answer
        finally:
            os.close(file)
            ours.close()

    yield run
    ours.close()
    for thread in threads:
        thread.join()
    theirs.close()


def announced(*numbers: int) -> list[Frame]:
    return [(b"M", b"%d" % number) for number in numbers]


def test_pages_of_a_range_are_taken_in(ask: Ask) -> None:
    heard = ask([(b"T", b"9"), *announced(4), page(4), *announced(5), page(5), END], pages=[4, 5, 6])
    assert (heard.total, list(heard.pages), heard.result, heard.death) == (9, [4, 5], None, None)


def test_a_document_comes_whole_or_in_pages(ask: Ask) -> None:
    heard = ask([(b"T", b"2"), *announced(1, 2), (b"D", b"{}"), END])
    assert (heard.total, heard.result, heard.at) == (2, b"{}", 2)


def test_attached_files_come_before_the_document(ask: Ask) -> None:
    heard = ask([(b"A", b"one"), (b"A", b""), (b"D", b"{}"), END])
    assert (heard.attached, heard.result) == ([b"one", b""], b"{}")


def test_a_refusal_is_final_where_it_says_so(ask: Ask) -> None:
    heard = ask([refusal(), END])
    assert isinstance(heard.result, DocumentRefused)
    assert heard.result == DocumentRefused("corrupt", "It is damaged.")


def test_a_refusal_that_is_not_the_documents_can_be_tried_again(ask: Ask) -> None:
    heard = ask([refusal(kind="system", code="missing_extra"), END])
    assert isinstance(heard.result, TvdbError)
    assert not isinstance(heard.result, DocumentRefused)
    assert (heard.result.kind, heard.result.retry_at) == ("system", None)


def test_a_long_sentence_is_cut(ask: Ask) -> None:
    heard = ask([refusal(message="x" * 5000), END])
    assert isinstance(heard.result, TvdbError)
    assert len(heard.result.message) == MOST_MESSAGE


COUNTED: Frame = (b"T", b"9")
NONSENSE: dict[str, tuple[list[Frame], dict[str, Any]]] = {
    "a tag nobody knows": ([(b"X", b"")], {}),
    "a greeting again": ([(b"H", b"[]")], {}),
    "an end without anything": ([END], {}),
    "an end of counting only": ([COUNTED, END], {}),
    "an end of announcing only": ([COUNTED, *announced(1), END], {}),
    "an end that says something": ([refusal(), (b"E", b"x")], {}),
    "no pages": ([(b"T", b"0")], {}),
    "less than none": ([(b"T", b"-1")], {}),
    "more pages than allowed": ([(b"T", b"101")], {}),
    "a number without end": ([(b"T", b"9" * 10_000)], {}),
    "a number that is none": ([(b"T", b" 9_0")], {}),
    "a count twice": ([COUNTED, COUNTED], {}),
    "a page before the count": (announced(1), {}),
    "a page beyond the last": ([COUNTED, *announced(10)], {}),
    "a page of a milliard": ([COUNTED, (b"M", b"1000000000")], {}),
    "a page nobody asked for": ([COUNTED, *announced(3)], {"pages": [1, 2]}),
    "a page twice": ([COUNTED, *announced(1), page(1), page(1)], {}),
    "a page announced twice": ([COUNTED, *announced(1), page(1), *announced(1)], {}),
    "a page not announced": ([COUNTED, *announced(1), page(2)], {}),
    "a page that says it is another": ([COUNTED, *announced(1), page(1, says=2)], {}),
    "a page that is none": ([COUNTED, *announced(1), (b"P", b"1\n{}")], {}),
    "a page that is two lines": ([COUNTED, *announced(1), (b"P", page(1)[1] + b"\n7\t{}")], {}),
    "a page without a number": ([COUNTED, *announced(1), (b"P", b"")], {}),
    "a document twice": ([(b"D", b"{}"), (b"D", b"{}")], {}),
    "a document after its refusal": ([refusal(), (b"D", b"{}")], {}),
    "a document before its pages are read": ([COUNTED, *announced(1), (b"D", b"{}")], {}),
    "a document for a range": ([COUNTED, *announced(1), (b"D", b"{}")], {"pages": [1]}),
    "a document and its pages": ([(b"T", b"1"), *announced(1), page(1), (b"D", b"{}")], {}),
    "pages while putting together": ([COUNTED], {"do": "finish"}),
    "files of a document with pages": ([COUNTED, (b"A", b"x")], {}),
    "files while putting together": ([(b"A", b"x")], {"do": "finish"}),
    "files without end": ([(b"A", b"")] * (MOST_ATTACHED + 1), {}),
    "a refusal that is no JSON": ([(b"R", b"{")], {}),
    "a refusal that is a list": ([(b"R", b"[]")], {}),
    "a refusal nested too deep": ([(b"R", b"[" * 10_000)], {}),
    "a refusal without end": ([refusal(message="x" * 100_000)], {}),
    "a refusal of nobody": ([refusal(kind="nobody")], {}),
    "a refusal of the budget": ([refusal(kind="budget")], {}),
    "a refusal with a list for its kind": ([refusal(kind=["document"])], {}),
    "a refusal with a number for its code": ([refusal(code=5)], {}),
    "a refusal with a sentence for its code": ([refusal(code="Mrs. Jones, born 1950")], {}),
    "a refusal with text for a truth": ([refusal(retryable="no")], {}),
    "a refusal without a sentence": ([(b"R", b'{"code": "corrupt", "kind": "document", "retryable": false}')], {}),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_ends_the_job(ask: Ask, what: str) -> None:
    frames, about = NONSENSE[what]
    with pytest.raises(Nonsense):
        ask([*frames, END], **about)


def test_all_that_is_said_in_a_job_has_a_limit(ask: Ask) -> None:
    block = (b"A", b"x" * (60 << 20))
    with pytest.raises(FrameTooLarge):
        ask([block] * 9)


def test_silence_ends_the_job(ask: Ask) -> None:
    with pytest.raises(TimeoutError):
        ask([COUNTED], seconds=0.1)


def test_one_who_always_says_a_little_more_does_not_go_on_for_ever() -> None:
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def chatter() -> None:
        channel = Channel(theirs)
        channel.receive_file()
        channel.send(b"T", b"100")
        for number in range(1, 101):
            if stop.wait(0.05):
                break
            channel.send(b"M", b"%d" % number)

    thread = threading.Thread(target=chatter)
    thread.start()
    file = os.memfd_create("document")
    with ours, theirs:
        # Each frame comes in time; four times 0.2 s and the slice are over before the hundredth.
        with pytest.raises(TimeoutError):
            Conversation(Channel(ours), job(seconds=0.2)).hold(file)
        stop.set()
        thread.join()
    os.close(file)
