"""The reading of one document over several jobs: what is there, what is next, and when it is over.

Belongs here: slices of pages, pages that end the process, the account of time. Does not: processes (`process`) or order among
documents (`pool`).

A document is first given one slice of time. Most are done in it. What a longer one has left is cut into ranges of pages that any
process can read, side by side; each range is kept as soon as it is read, and a document begun before starts from what was kept.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.page_records import failed_page
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.process import Answer, ParserProcess

FIRST_SLICE_SECONDS, SLICE_SECONDS = 5.0, 10.0
MOST_PAGES_OF_A_RANGE: Final = 500
DEATHS_OF_A_PAGE, DEATHS_OF_A_DOCUMENT = 2, 6
"""So often may a page end its process before it is given up; so often all pages of a document, before the rest is."""
FAIR_SECONDS_A_PAGE: Final = 20.0
"""Of a process, on average: OCR takes 4 on a free core. What takes more in the whole is not waited for."""


class PageShelf(Protocol):
    """Where the pages of an unfinished document are kept: number -> record (see `page_records`)."""

    def kept(self) -> tuple[int, dict[int, bytes]]:
        """(number of pages of the document, those kept); (0, {}) for a document not begun."""
        ...

    def keep(self, total: int, pages: Mapping[int, bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class ParseJob:
    """A file to parse, under the key its result is known by. shelf: where unfinished work is kept, if anywhere."""

    key: str
    file: Path
    media_type: str
    shelf: PageShelf | None = None


@dataclass(frozen=True, slots=True)
class ParseResult:
    """The parsed document as JSON (see ParsedDocument.to_json), or why there is none; the seconds processes worked on it,
    and the contents of the files attached to it."""

    key: str
    parsed: bytes | TvdbError
    seconds: float
    attached: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """Seconds: for a document without pages or its last step, and for one page."""

    document: float
    page: float


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
        self._total, self._pages = job.shelf.kept() if job.shelf is not None else (0, dict[int, bytes]())
        self._deaths: Counter[int] = Counter()
        self._seconds, self._open_steps = 0.0, 0
        self._result: bytes | TvdbError | None = None
        self._had_fresh_process, self._told = False, False

    def first_steps(self) -> list[Step]:
        """What to begin with."""
        steps = self._ranges(1) if self._total else []
        self._open_steps = len(steps) or 1
        return steps or [None]

    def take(self, process: ParserProcess, step: Step) -> Taken:
        """Do a step in that process."""
        if self._result is not None:
            return Taken([], None, process_spent=False)
        started = time.monotonic()
        try:
            answer = self._ask(process, step)
            if self._job.shelf is not None and answer.pages:
                self._job.shelf.keep(answer.total, answer.pages)
        except OSError as error:
            answer = Answer(result=_unreadable(error))
        except TvdbError as error:
            answer = Answer(result=error)
        return self._account(process, step, answer, time.monotonic() - started)

    def give_up(self, error: TvdbError) -> ParseResult | None:
        """End the reading with an error that is not the document's; None where it has ended already."""
        with self._lock:
            return self._ended(error)

    def _ask(self, process: ParserProcess, step: Step) -> Answer:
        finishing = self._total > 0 and len(self._pages) == self._total
        job: dict[str, Any] = {
            "do": "finish" if finishing else "read",
            "media_type": self._job.media_type,
            "options": asdict(self._options),
            "pages": step,
            "slice": FIRST_SLICE_SECONDS if step is None else SLICE_SECONDS,
            "seconds": self._allowance.document,
            "page_seconds": self._allowance.page,
        }
        file = self._records() if finishing else _opened(self._job.file)
        try:
            return process.run(job, file)
        finally:
            os.close(file)

    def _account(self, process: ParserProcess, step: Step, answer: Answer, seconds: float) -> Taken:
        with self._lock:
            self._seconds += seconds
            self._open_steps -= 1
            spent = answer.death is not None
            before = len(self._pages)
            self._total = answer.total or self._total
            self._pages.update(answer.pages)
            if answer.death is not None:
                self._bury(answer.death, answer.at if answer.total else None)
            result = answer.result
            if isinstance(result, TvdbError) and result.code == "out_of_memory" and self._may_try_again(process):
                return self._taken([step], None, spent=True)
            if result is None:
                result = self._late() or self._result
            if result is not None:
                return self._taken([], self._ended(result, answer.attached), spent=spent)
            return self._taken(self._next(step, (len(self._pages) - before) / seconds), None, spent=spent)

    def _taken(self, steps: list[Step], result: ParseResult | None, *, spent: bool) -> Taken:
        self._open_steps += len(steps)
        return Taken(steps, result, spent)

    def _next(self, step: Step, pages_a_second: float) -> list[Step]:
        """What follows a step that did not end the reading."""
        if len(self._pages) == self._total:
            # The last of the ranges puts the document together.
            return [None] if self._open_steps == 0 else []
        if step is None:
            return self._ranges(pages_a_second)
        left = [number for number in step if number not in self._pages]
        return [left] if left else []

    def _ranges(self, pages_a_second: float) -> list[Step]:
        """The missing pages in ranges of about a slice each, and one for each process where there are fewer."""
        missing = [number for number in range(1, self._total + 1) if number not in self._pages]
        even = -(-len(missing) // self._workers)
        size = max(1, min(even, int(pages_a_second * SLICE_SECONDS), MOST_PAGES_OF_A_RANGE))
        return [missing[start : start + size] for start in range(0, len(missing), size)]

    def _bury(self, death: TvdbError, page: int | None) -> None:
        """A process died over this document: give up the page it was at, or all that are left, or the document."""
        if page is None or page in self._pages:
            self._result = death
            return
        self._deaths[page] += 1
        if self._deaths.total() >= DEATHS_OF_A_DOCUMENT:
            note = "not read: several pages ended the parsing process"
            for number in range(1, self._total + 1):
                self._pages.setdefault(number, failed_page(number, note))
        elif self._deaths[page] >= DEATHS_OF_A_PAGE:
            why = "took too long" if death.code == "parse_timeout" else "ended the parsing process"
            self._pages[page] = failed_page(page, f"reading it {why}")

    def _may_try_again(self, process: ParserProcess) -> bool:
        """Memory that earlier documents left in pieces is not this one's fault: one try in a new process."""
        again = process.served > 1 and not self._had_fresh_process
        self._had_fresh_process = True
        return again

    def _late(self) -> TvdbError | None:
        allowed = max(self._allowance.document, FAIR_SECONDS_A_PAGE * self._total)
        if self._seconds <= allowed or len(self._pages) == self._total:
            return None
        return TvdbError(
            "parse_timeout",
            f"Reading {self._total} pages took over {allowed:.0f} s; what was read is kept, the rest is read at the next try.",
            kind="document",
            retryable=True,
        )

    def _ended(self, result: bytes | TvdbError, attached: Sequence[bytes] = ()) -> ParseResult | None:
        self._result = result
        told, self._told = self._told, True
        return None if told else ParseResult(self._job.key, result, self._seconds, attached)

    def _records(self) -> int:
        file = os.memfd_create("pages")
        with os.fdopen(os.dup(file), "wb") as opened:
            for number in range(1, self._total + 1):
                opened.write(self._pages[number] + b"\n")
        os.lseek(file, 0, os.SEEK_SET)
        return file


def _opened(path: Path) -> int:
    """A regular file, opened for the process that has no access to it by name. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file")
    return file


def _unreadable(error: OSError) -> TvdbError:
    return TvdbError("unreadable", f"The kept file cannot be read (errno {error.errno}); try again.", retryable=True)
