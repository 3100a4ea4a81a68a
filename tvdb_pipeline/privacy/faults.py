"""Exceptions nobody foresaw, told by type and place: what they say may quote a document.

Belongs here: that description, the shield around code whose exceptions others store, and the hooks for exceptions that nobody
catches. Does not: refusals, which are typed and say nothing of a document (`errors`).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.privacy.logs import log

T = TypeVar("T")
_PACKAGE = __name__.partition(".")[0]


class Fault(TvdbError):
    """What is left of an unforeseen exception."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            "fault",
            f"A fault of the program ({described(error)}); nothing half-done was kept, and documents go on by themselves.",
            retryable=True,
        )


def described(error: BaseException) -> str:
    """`OperationalError at tvdb_pipeline.database.pools:124`."""
    return f"{type(error).__name__} at {place(error.__traceback__)}"


def place(trace: TracebackType | None) -> str:
    """`module:line` of the innermost frame of this package, or of any where it has none."""
    found = "unknown:0"
    ours = False
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] == _PACKAGE or not ours:
            found = f"{module}:{trace.tb_lineno}"
            ours = module.partition(".")[0] == _PACKAGE
        trace = trace.tb_next
    return found


def shielded(work: Callable[[], T], *known: type[Exception]) -> T:
    """What `work` gives. Of its exceptions, refusals (TvdbError) and `known` ones come out; all others as Fault.

    None carries what led to it: whoever stores an exception stores its whole chain.
    """
    try:
        return work()
    except (TvdbError, *known) as error:
        raised: Exception = error
    except Exception as error:
        raised = Fault(error)
    except BaseException as interrupt:
        _unchain(interrupt)
        raise
    # Raised here, not above: there the exception being handled would be tied to it.
    _unchain(raised)
    raise raised


def _unchain(error: BaseException) -> None:
    error.__cause__ = error.__context__ = None


def tell_uncaught() -> None:
    """Have exceptions that end this process, a thread, or that come of cleaning up, logged by type and place."""
    sys.excepthook = lambda kind, error, trace: _tell("uncaught", kind, trace)
    threading.excepthook = lambda args: _tell("uncaught_in_thread", args.exc_type, args.exc_traceback)
    sys.unraisablehook = _unraisable


def _unraisable(found: Any) -> None:
    _tell("uncaught_in_cleanup", found.exc_type, found.exc_traceback)


def _tell(event: str, kind: type[BaseException], trace: TracebackType | None) -> None:
    if not issubclass(kind, SystemExit):
        log(event, error=kind.__name__, place=place(trace))
