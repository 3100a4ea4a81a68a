"""Warm parsing processes, one job at a time each.

Belongs here: handing out steps in the order they come up, replacing processes that died or served long. Does not: what
is next for a document (`document_reading`), or a process (`process`). A crash or hang ends that process and that document only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, LifoQueue, SimpleQueue
from threading import Lock

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.document_reading import DocumentReading, Step, Taken
from tvdb_pipeline.parsing.jobs import Allowance, ParseJob, ParseResult
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.process import ParserProcess
from tvdb_pipeline.parsing.scratch import remove_abandoned

__all__ = ["ParseJob", "ParseResult", "ParserPool"]

_RECYCLE_AFTER = 100  # jobs; what a decoder leaks ends with its process


class ParserPool:
    """`workers` processes, started at first use. Close it after use.

    timeout, page_timeout: seconds for a document without pages, and for one page; memory_mb a process; first_slice: seconds a
    document with pages is read in one piece.
    """

    def __init__(
        self,
        workers: int,
        options: ParseOptions,
        timeout: float,
        memory_mb: int,
        page_timeout: float = 120.0,
        first_slice: float = 5.0,
    ) -> None:
        self._workers, self._options, self._memory_mb = workers, options, memory_mb
        self._allowance = Allowance(timeout, page_timeout, first_slice=first_slice)
        self._may_execute = options.ocr_engine == "tesseract" or options.pdf_engine in ("ocr_only", "hi_res")
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="tvdb-parse")
        self._idle: LifoQueue[ParserProcess] = LifoQueue()
        self._busy: set[ParserProcess] = set()
        self._lock, self._closed = Lock(), False
        remove_abandoned()

    def __enter__(self) -> ParserPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parse(self, jobs: Iterable[ParseJob]) -> Iterator[ParseResult]:
        """Results as they are ready, in any order. Raises nothing for a document: its refusal is in its result.

        Long documents do not hold up short ones: each continues behind those that have not had their first turn.
        """
        results: SimpleQueue[ParseResult] = SimpleQueue()
        waiting = 0
        for job in jobs:
            waiting += 1
            reading = DocumentReading(job, self._options, self._allowance, self._workers)
            self._submit(reading, reading.first_steps(), results)
        for _ in range(waiting):
            yield results.get()

    @property
    def closed(self) -> bool:
        """Whether it takes no more jobs."""
        return self._closed

    def close(self) -> None:
        """End every process, also those at work."""
        with self._lock:
            self._closed = True
            for process in self._busy:
                # The thread that hears of its death clears up after it.
                process.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        with suppress(Empty):
            while True:
                self._idle.get_nowait().kill()

    def _submit(self, reading: DocumentReading, steps: list[Step], results: SimpleQueue[ParseResult]) -> None:
        for step in steps:
            # A pool that is being closed takes no more; nobody waits for the result then.
            with suppress(RuntimeError):
                self._threads.submit(partial(self._take, reading, step, results))

    def _take(self, reading: DocumentReading, step: Step, results: SimpleQueue[ParseResult]) -> None:
        try:
            taken = self._taken(reading, step)
        except TvdbError as error:
            result = reading.give_up(error)
        except Exception as error:
            # Whatever it was: somebody waits for this result. The type only: a message may quote the document.
            result = reading.give_up(
                TvdbError("parser_failed", f"Reading failed ({type(error).__name__}).", retryable=True)
            )
        else:
            self._submit(reading, taken.steps, results)
            result = taken.result
        if result is not None:
            results.put(result)

    def _taken(self, reading: DocumentReading, step: Step) -> Taken:
        """Do a step in a process, and put that back or end it. Raises TvdbError where none can be started."""
        process = self._process()
        spent = True
        try:
            with self._lock:
                self._busy.add(process)
                if self._closed:
                    process.stop()
            taken = reading.take(process, step)
            spent = taken.process_spent or process.served >= _RECYCLE_AFTER
            return taken
        finally:
            with self._lock:
                self._busy.discard(process)
                spent = spent or self._closed
                if not spent:
                    self._idle.put(process)
            if spent:
                process.kill()

    def _process(self) -> ParserProcess:
        with suppress(Empty):
            while True:
                process = self._idle.get_nowait()
                if process.alive:
                    return process
                process.kill()
        return ParserProcess(self._memory_mb, may_execute=self._may_execute)
