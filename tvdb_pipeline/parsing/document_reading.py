"""The reading of one document over several jobs: what is next, and when it is over.

Belongs here: steps, the account of time, and the one result. Does not: pages there and missing (`page_account`), processes
(`process`) or order among documents (`pool`).

A document is first given one slice of time. Most are done in it. What a longer one has left is cut into ranges of pages that any
process can read, side by side; each range is kept as soon as it is read, and a document begun before starts from what was kept.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from tvdb_pipeline.documents.opening import open_regular
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.conversation import Answer
from tvdb_pipeline.parsing.jobs import Allowance, ParseJob, ParseResult
from tvdb_pipeline.parsing.open_files import in_memory
from tvdb_pipeline.parsing.page_account import SLICE_SECONDS, PageAccount
from tvdb_pipeline.parsing.parse import ParseOptions

_UNKNOWN_SPEED: Final = 1.0  # pages a second


class Reader(Protocol):
    """What takes a job (see `ParserProcess`). served: jobs it was given."""

    served: int

    def run(self, job: dict[str, Any], file: int) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step led to: the steps that follow, the result when there is one (once), and whether its process is to be killed."""

    steps: list[Step]
    result: ParseResult | None
    process_spent: bool


Step = list[int] | None
"""The pages of a job; None for a job over the whole document: its first, or its last, when all pages are there."""


class DocumentReading:
    """The state of one document's reading. Steps may be taken in several threads, each with a process of its own."""

    def __init__(self, job: ParseJob, options: ParseOptions, allowance: Allowance, workers: int) -> None:
        self._job, self._options, self._allowance, self._workers = job, options, allowance, workers
        self._lock = threading.Lock()
        kept = job.shelf.kept() if job.shelf is not None else (0, dict[int, bytes]())
        self._pages = PageAccount(*kept, options.max_pages)
        self._seconds, self._open_steps = 0.0, 0
        self._result: bytes | TvdbError | None = None
        self._had_fresh_process = False

    def first_steps(self) -> list[Step]:
        """What to begin with."""
        steps: list[Step] = [*self._pages.ranges(_UNKNOWN_SPEED, self._workers)] or [None]
        self._open_steps = len(steps)
        return steps

    def take(self, process: Reader, step: Step) -> Taken:
        """Do a step in that process."""
        with self._lock:
            if self._result is not None:
                return Taken([], None, process_spent=False)
            # Pages may have been given up since.
            left = None if step is None else self._pages.missing(step)
            finishing = step is None and self._pages.complete
        if left == []:
            return self._account(process, left, Answer(), 0.0)
        started = time.monotonic()
        try:
            answer = self._ask(process, left, finishing=finishing)
        except OSError as error:
            answer = Answer(result=_unreadable(error))
        return self._account(process, left, answer, time.monotonic() - started)

    def give_up(self, error: TvdbError) -> ParseResult | None:
        """End the reading with an error that is not the document's; None where it has ended already."""
        with self._lock:
            return self._ended(error)

    def _ask(self, process: Reader, step: Step, *, finishing: bool) -> Answer:
        job: dict[str, Any] = {
            "do": "finish" if finishing else "read",
            "media_type": self._job.media_type,
            "options": asdict(self._options),
            "pages": step,
            "slice": self._allowance.first_slice if step is None else SLICE_SECONDS,
            "seconds": self._allowance.document,
            "page_seconds": self._allowance.page,
        }
        file = in_memory(self._pages.records()) if finishing else open_regular(self._job.file)
        try:
            return process.run(job, file)
        finally:
            os.close(file)

    def _account(self, process: Reader, step: Step, answer: Answer, seconds: float) -> Taken:
        with self._lock:
            self._seconds += seconds
            self._open_steps -= 1
            spent = answer.death is not None
            try:
                self._enter(answer)
            except TvdbError as error:
                return Taken([], self._ended(error), spent)
            if self._result is not None:
                # It ended while this step was under way.
                return Taken([], None, spent)
            result = answer.result
            if _of_the_process(answer) and self._may_try_again(process):
                return self._taken([step], spent=True)
            if result is None and answer.death is not None:
                result = self._bury(answer.death, answer)
            if result is None:
                result = self._late()
            if result is not None:
                return Taken([], self._ended(result, answer.attached), spent)
            return self._taken(self._next(step, _speed(step, answer, seconds)), spent=spent)

    def _enter(self, answer: Answer) -> None:
        self._pages.add(answer.total, answer.pages)
        # Of a refused document nothing is kept: its shelf may have been cleared by now.
        if self._job.shelf is not None and answer.pages and not isinstance(self._result, DocumentRefused):
            self._job.shelf.keep(self._pages.total, answer.pages)

    def _taken(self, steps: list[Step], *, spent: bool) -> Taken:
        self._open_steps += len(steps)
        return Taken(steps, None, spent)

    def _next(self, step: Step, pages_a_second: float) -> list[Step]:
        """What follows a step that did not end the reading."""
        left = self._pages.missing(step or [])
        if left:
            return [left]
        if self._open_steps > 0:
            return []
        # The last one that is open cuts up what is missing, or puts the document together.
        return [*self._pages.ranges(pages_a_second, self._workers)] or [None]

    def _bury(self, death: TvdbError, answer: Answer) -> TvdbError | None:
        """A process died over this document: the end of a page, or of the document where its pages were not even counted."""
        if not answer.total or isinstance(death, DocumentRefused):
            return death
        self._pages.bury(answer.at, "took too long" if death.code == "parse_timeout" else "ended the parsing process")
        return None

    def _may_try_again(self, process: Reader) -> bool:
        """What earlier documents left a process in is not this one's fault: one try in a new process."""
        again = process.served > 1 and not self._had_fresh_process
        self._had_fresh_process = True
        return again

    def _late(self) -> TvdbError | None:
        total = self._pages.total
        allowed = max(self._allowance.document, self._allowance.average * total)
        if self._seconds <= allowed or self._pages.complete:
            return None
        return TvdbError(
            "parse_timeout",
            f"Reading {total} pages took over {allowed:.0f} s; what was read is kept, the rest is read at the next try.",
            kind="document",
            retryable=True,
        )

    def _ended(self, result: bytes | TvdbError, attached: Sequence[bytes] = ()) -> ParseResult | None:
        if self._result is not None:
            return None
        self._result = result
        return ParseResult(self._job.key, result, self._seconds, attached)


def _of_the_process(answer: Answer) -> bool:
    """Whether it may be its process that failed, not the document: memory in pieces, or dead before it began."""
    if isinstance(answer.result, TvdbError):
        return answer.result.code == "out_of_memory"
    return answer.death is not None and answer.death.code == "parser_crashed" and not answer.total


def _speed(step: Step, answer: Answer, seconds: float) -> float:
    """Pages a second; of a job over the whole document that died, those it was done with."""
    done = len(answer.pages) or (answer.at - 1 if step is None and answer.at is not None else 0)
    return done / seconds if done and seconds > 0 else _UNKNOWN_SPEED


def _unreadable(error: OSError) -> TvdbError:
    return TvdbError("unreadable", f"The kept file cannot be read (errno {error.errno}); try again.", retryable=True)
