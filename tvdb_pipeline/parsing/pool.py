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

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.document_reading import Allowance, DocumentReading, ParseJob, ParseResult, Step
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.process import ParserProcess

__all__ = ["ParseJob", "ParseResult", "ParserPool"]

_RECYCLE_AFTER = 100  # jobs; what a decoder leaks ends with its process


class ParserPool:
    """`workers` processes, started at first use. Close it after use.

    timeout, page_timeout: seconds for a document without pages, and for one page; memory_mb a process.
    """

    def __init__(
        self, workers: int, options: ParseOptions, timeout: float, memory_mb: int, page_timeout: float = 120.0
    ) -> None:
        self._workers, self._options, self._memory_mb = workers, options, memory_mb
        self._allowance = Allowance(timeout, page_timeout)
        self._may_execute = options.ocr_engine == "tesseract" or options.pdf_engine in ("ocr_only", "hi_res")
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="tvdb-parse")
        self._idle: LifoQueue[ParserProcess] = LifoQueue()
        self._busy: set[ParserProcess] = set()
        self._closed = False

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

    def close(self) -> None:
        """End every process, also those at work."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in list(self._busy):
            process.kill()
        self._threads.shutdown(wait=True)
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
            process = self._process()
        except TvdbError as error:
            if (result := reading.give_up(error)) is not None:
                results.put(result)
            return
        self._busy.add(process)
        taken = reading.take(process, step)
        self._busy.discard(process)
        if taken.process_spent or self._closed or process.served >= _RECYCLE_AFTER:
            process.kill()
        else:
            self._idle.put(process)
        self._submit(reading, taken.steps, results)
        if taken.result is not None:
            results.put(taken.result)

    def _process(self) -> ParserProcess:
        with suppress(Empty):
            while True:
                process = self._idle.get_nowait()
                if process.alive:
                    return process
                process.kill()
        return ParserProcess(self._memory_mb, may_execute=self._may_execute)
