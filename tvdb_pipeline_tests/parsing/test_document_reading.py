"""The reading of a document over several jobs: whatever its processes do, it ends, once, with every page read or named."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.conversation import Answer
from tvdb_pipeline.parsing.document_reading import DocumentReading, Step
from tvdb_pipeline.parsing.jobs import Allowance, ParseJob, ParseResult
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.page_records import from_record, to_record
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.parsed import PageReport

CRASH = TvdbError("parser_crashed", "Reading the file ended the parsing process.", "document", retryable=True)
HANG = TvdbError("parse_timeout", "Reading the file took too long.", "document", retryable=True)
HERE = Path(__file__)


def record(number: int) -> bytes:
    return to_record(PageLines(PageReport(number, "text"), 612, 792))


@dataclass
class Shelf:
    """A shelf in memory."""

    total: int = 0
    pages: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def kept(self) -> tuple[int, dict[int, bytes]]:
        return self.total, dict(self.pages)

    def keep(self, total: int, pages: Mapping[int, bytes]) -> None:
        assert total > 0
        self.total = total
        self.pages |= pages


@dataclass
class Scripted:
    """Stands for a parsing process: reads so many pages of each job as `fates` says, and then stops, dies, or hangs."""

    total: int
    fates: list[tuple[int, TvdbError | None]]
    deadly: frozenset[int] = frozenset()
    says: int | None = None
    served: int = 0
    finished: list[int] = field(default_factory=list[int])
    asked: list[int] = field(default_factory=list[int])

    def run(self, job: dict[str, Any], file: int) -> Answer:
        self.served += 1
        if job["do"] == "finish":
            with os.fdopen(os.dup(file), "rb") as opened:
                self.finished = [from_record(line).report.number for line in opened.read().splitlines()]
                os.lseek(file, 0, os.SEEK_SET)
                routes = [from_record(line).report.route for line in opened.read().splitlines()]
            return Answer(result=json.dumps(routes).encode())
        answer, (count, death) = (
            Answer(total=self.says or self.total),
            self.fates.pop(0) if self.fates else (10**6, None),
        )
        numbers: list[int] = job["pages"] or list(range(1, self.total + 1))
        self.asked += numbers
        for done, number in enumerate(numbers):
            # An honest one reads a page at least.
            if done >= max(count, 0 if death else 1):
                answer.death = death
                answer.at = number if death else answer.at
                break
            answer.at = number
            if number in self.deadly:
                answer.death = CRASH
                break
            answer.pages[number] = record(number)
        if job["pages"] is None:
            if len(answer.pages) == self.total:
                return Answer(total=self.total, at=self.total, result=json.dumps(["text"] * self.total).encode())
            if answer.death is not None:
                answer.pages = {}
        return answer


def reading(shelf: Shelf | None = None, workers: int = 2, **allowed: float) -> DocumentReading:
    job = ParseJob("key", HERE, PDF, shelf)
    allowance = Allowance(allowed.get("document", 60.0), allowed.get("page", 10.0), allowed.get("average", 20.0))
    return DocumentReading(job, ParseOptions(max_pages=1000), allowance, workers)


def all_of(document: DocumentReading, process: Scripted, order: Any = None, most: int = 3000) -> list[ParseResult]:
    """Take steps until there are none; `order` picks the next of those open."""
    steps: list[Step] = document.first_steps()
    results: list[ParseResult] = []
    for _ in range(most):
        if not steps:
            return results
        taken = document.take(process, steps.pop(order(len(steps)) if order else 0))
        steps += taken.steps
        results += [taken.result] if taken.result is not None else []
    raise AssertionError("it does not end")


def routes(result: ParseResult) -> list[str]:
    assert isinstance(result.parsed, bytes), result.parsed
    return json.loads(result.parsed)


fates = st.lists(st.tuples(st.integers(0, 8), st.sampled_from([None, None, None, CRASH, HANG])), max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 30), fates, st.integers(1, 4), st.sets(st.integers(1, 30), max_size=8), st.data())
def test_it_ends_once_with_every_page_read_or_named(
    total: int, fates: list[tuple[int, TvdbError | None]], workers: int, deadly: set[int], data: st.DataObject
) -> None:
    process, shelf = Scripted(total, fates, frozenset(deadly)), Shelf()
    (result,) = all_of(reading(shelf, workers), process, lambda n: data.draw(st.integers(0, n - 1)))
    found = routes(result)
    assert len(found) == total
    assert set(shelf.pages) == {number for number in range(1, total + 1) if number in shelf.pages}
    assert all(found[number - 1] == "failed" for number in deadly if number <= total)
    assert all(found[number - 1] == "text" for number in shelf.pages), "what was read is never given up"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), fates, st.integers(1, 4), st.data())
def test_steps_in_any_order_read_no_page_twice_unless_one_died(
    total: int, fates: list[tuple[int, TvdbError | None]], workers: int, data: st.DataObject
) -> None:
    process = Scripted(total, [(count, None) for count, _ in fates])
    (result,) = all_of(reading(None, workers), process, lambda n: data.draw(st.integers(0, n - 1)))
    assert routes(result) == ["text"] * total
    assert process.finished in ([], list(range(1, total + 1)))


def test_a_deadly_page_is_given_up_alone() -> None:
    process = Scripted(20, [], frozenset({7}))
    (result,) = all_of(reading(), process)
    assert routes(result) == ["text"] * 6 + ["failed"] + ["text"] * 13


def test_after_many_deadly_pages_the_rest_is_given_up() -> None:
    process = Scripted(200, [], frozenset(range(1, 201)))
    (result,) = all_of(reading(), process)
    assert routes(result) == ["failed"] * 200
    assert process.served < 20


def test_a_long_document_is_not_read_page_by_page_after_a_death() -> None:
    process = Scripted(800, [], frozenset({300}))
    (result,) = all_of(reading(), process)
    assert routes(result).count("failed") == 1
    assert process.served < 120


def test_a_death_between_pages_costs_no_page() -> None:
    shelf = Shelf(6, {1: record(1)})
    document = reading(shelf, 1)
    (step,) = document.first_steps()
    process = Scripted(6, [(2, CRASH)])
    taken = document.take(process, step)
    assert taken.process_spent
    process.fates = []
    results = [taken.result] if taken.result else []
    for following in taken.steps:
        taken = document.take(process, following)
        (last,) = taken.steps
        results.append(document.take(process, last).result)
    assert routes(results[0]) == ["text"] * 6  # pyright: ignore[reportArgumentType]


def test_a_document_that_dies_before_its_pages_are_counted_ends() -> None:
    class Dying(Scripted):
        def run(self, job: dict[str, Any], file: int) -> Answer:
            return Answer(death=CRASH)

    (result,) = all_of(reading(), Dying(5, []))
    assert result.parsed == CRASH


def test_what_was_kept_is_not_read_again() -> None:
    shelf = Shelf(10, {number: record(number) for number in (1, 2, 3, 7)})
    process = Scripted(10, [])
    (result,) = all_of(reading(shelf), process)
    assert sorted(process.asked) == [4, 5, 6, 8, 9, 10]
    assert routes(result) == ["text"] * 10


def test_a_document_all_kept_is_only_put_together() -> None:
    process = Scripted(3, [])
    (result,) = all_of(reading(Shelf(3, {number: record(number) for number in (1, 2, 3)})), process)
    assert (process.asked, process.served) == ([], 1)
    assert routes(result) == ["text"] * 3


@pytest.mark.parametrize(("total", "pages"), [(10**9, {}), (-5, {}), (0, {1: b"{}"}), (10**9, {10**9: b"{}"})])
def test_a_shelf_that_cannot_be_true_is_not_believed(total: int, pages: dict[int, bytes]) -> None:
    process = Scripted(4, [])
    (result,) = all_of(reading(Shelf(total, pages)), process)
    assert routes(result) == ["text"] * 4


def test_pages_on_the_shelf_that_the_document_has_not_are_not_used() -> None:
    pages = {-1: record(1), 0: record(1), 1: record(1), 9: record(9)}
    process = Scripted(3, [])
    (result,) = all_of(reading(Shelf(3, pages)), process)
    assert process.finished == [1, 2, 3]
    assert routes(result) == ["text"] * 3


def test_a_document_that_changes_its_number_of_pages_is_refused() -> None:
    shelf = Shelf(5, {1: record(1)})
    (result,) = all_of(reading(shelf), Scripted(5, [(1, None)], says=7))
    assert isinstance(result.parsed, DocumentRefused)
    assert result.parsed.code == "inconsistent"
    assert shelf.pages == {1: record(1)}


def test_what_comes_after_a_refusal_is_not_kept() -> None:
    shelf = Shelf()
    document = reading(shelf, 2)
    first = document.take(Scripted(20, [(2, None)]), None)
    assert set(shelf.pages) == {1, 2}

    class Late(Scripted):
        def run(self, job: dict[str, Any], file: int) -> Answer:
            # While this one reads, another finds that the document is to be refused.
            assert document.take(Refusing(20, []), first.steps[1]).result is not None
            shelf.pages.clear()
            return super().run(job, file)

    class Refusing(Scripted):
        def run(self, job: dict[str, Any], file: int) -> Answer:
            return Answer(result=DocumentRefused("corrupt", "It is damaged."))

    taken = document.take(Late(20, []), first.steps[0])
    assert (taken.steps, taken.result, shelf.pages) == ([], None, {})


def test_memory_others_left_in_pieces_is_no_fault_of_the_document() -> None:
    class Full(Scripted):
        def run(self, job: dict[str, Any], file: int) -> Answer:
            self.served += 1
            return Answer(result=TvdbError("out_of_memory", "It takes too much memory.", "document", True))

    document = reading()
    again = document.take(Full(1, [], served=5), None)
    assert (again.steps, again.result, again.process_spent) == ([None], None, True)
    (result,) = [document.take(Full(1, []), None).result]
    assert result is not None
    assert isinstance(result.parsed, TvdbError)


def test_an_empty_result_is_a_result() -> None:
    class Empty(Scripted):
        def run(self, job: dict[str, Any], file: int) -> Answer:
            return Answer(result=b"")

    assert [result.parsed for result in all_of(reading(), Empty(1, []))] == [b""]


def test_what_takes_too_long_ends_and_says_that_it_goes_on() -> None:
    shelf = Shelf()
    (result,) = all_of(reading(shelf, document=0.0, average=0.0), Scripted(10, [(3, None)]))
    assert isinstance(result.parsed, TvdbError)
    assert (result.parsed.code, result.parsed.kind, result.parsed.retryable) == ("parse_timeout", "document", True)
    assert set(shelf.pages) == {1, 2, 3}
    (result,) = all_of(reading(shelf), Scripted(10, []))
    assert routes(result) == ["text"] * 10


@pytest.mark.parametrize("kind", ["missing", "link", "pipe", "folder"])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "document"
    if kind == "link":
        path.symlink_to(HERE)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    document = DocumentReading(ParseJob("key", path, PDF), ParseOptions(), Allowance(60, 10), 1)
    (result,) = all_of(document, Scripted(1, []))
    assert isinstance(result.parsed, TvdbError)
    assert (result.parsed.code, result.parsed.kind, result.parsed.retryable) == ("unreadable", "system", True)
    assert str(tmp_path) not in result.parsed.message
