"""One pool of parsing processes kept warm between the batches of a process.

Belongs here: lending it, and ending it with the process. Does not: the pool. A process that reads documents takes a second to
start, one that has read Office files several: a command that runs hundreds of batches would spend most of its time on that.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from threading import Lock

from tvdb_pipeline.parsing.pool import ParserPool

_lock = Lock()
_kept: list[tuple[Hashable, ParserPool]] = []


@contextmanager
def borrowed(kind: Hashable, make: Callable[[], ParserPool]) -> Generator[ParserPool]:
    """The pool of this kind that was left by whoever had it before, else a new one.

    kind: what `make` depends on. Left as it is when its work is done; ended where that was broken off.
    """
    pool = _taken(kind) or make()
    try:
        yield pool
    except BaseException:
        # Jobs may be under way whose results nobody waits for.
        pool.close()
        raise
    _left(kind, pool)


def end() -> None:
    """End the pool that is kept, if any."""
    with _lock:
        leaving, _kept[:] = list(_kept), []
    for _, pool in leaving:
        pool.close()


def _taken(kind: Hashable) -> ParserPool | None:
    with _lock:
        if _kept and _kept[0][0] == kind:
            return _kept.pop()[1]
    return None


def _left(kind: Hashable, pool: ParserPool) -> None:
    """Keep the pool, and end the one that was kept: there is one at most."""
    with _lock:
        leaving, _kept[:] = list(_kept), [(kind, pool)]
    for _, other in leaving:
        other.close()


atexit.register(end)
