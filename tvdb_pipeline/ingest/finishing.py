"""The last stages beside the first: vectors are bought and rows stored while other documents are still being read.

Belongs here: the threads, and handing documents from one to the next. Does not: what is done with a document (`walk`), or what is
bought together (`buying`). One thread buys, so that requests stay in order and one at a time; a few store, each on a connection
of its own. An answer of the provider takes most of a second, and inserting into the vector index a core of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from tvdb_pipeline.ingest.buying import Buying
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.work import Work

STORERS = 2


class Finishing:
    """Documents of one batch on their way to their rows. Use as a context manager: leaving it ends the threads.

    complete: the last two stages of a document nothing is pending of; called in other threads, as `buying` is.
    """

    def __init__(self, buying: Buying, complete: Callable[[Work], list[StageOutcome]]) -> None:
        self._buying, self._complete = buying, complete
        self._buyer = ThreadPoolExecutor(1, thread_name_prefix="tvdb-buy")
        self._storers = ThreadPoolExecutor(STORERS, thread_name_prefix="tvdb-store")
        self._ended: SimpleQueue[list[StageOutcome] | BaseException] = SimpleQueue()
        self._open = 0

    def __enter__(self) -> Finishing:
        return self

    def __exit__(self, *_: object) -> None:
        self._buyer.shutdown(wait=True, cancel_futures=True)
        self._storers.shutdown(wait=True, cancel_futures=True)

    def add(self, work: Work) -> None:
        """Take in a chunked document."""
        self._open += 1
        self._buyer.submit(self._told, lambda: self._store(self._buying.add(work)))

    def skip(self, key: str) -> None:
        """An expected document has nothing to buy."""
        self._buyer.submit(self._told, lambda: self._store(self._buying.skip(key)))

    def store(self, work: Work) -> None:
        """Take in a document that is complete already."""
        self._open += 1
        self._store([work])

    def outcomes(self) -> Iterator[StageOutcome]:
        """What has ended by now. Raises what a thread raised."""
        while True:
            try:
                yield from self._next(wait=False)
            except Empty:
                return

    def flush(self) -> Iterator[StageOutcome]:
        """Buy what is left, and wait for everything to end. Raises what a thread raised."""
        self._buyer.submit(self._told, lambda: self._store(self._buying.flush()))
        while self._open:
            yield from self._next(wait=True)

    def _next(self, *, wait: bool) -> list[StageOutcome]:
        ended = self._ended.get(block=wait)
        if isinstance(ended, BaseException):
            raise ended
        self._open -= 1
        return ended

    def _store(self, works: Iterable[Work]) -> None:
        for work in works:
            self._storers.submit(self._told, lambda work=work: self._ended.put(self._complete(work)))

    def _told(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:
            # Somebody waits for the document; it is raised where the batch is walked.
            self._ended.put(error)
