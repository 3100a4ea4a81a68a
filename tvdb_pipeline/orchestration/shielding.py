"""The border between Dagster and our code: what an exception may carry over it.

Belongs here: the shield around ops and ticks. Does not: what it lets through (`privacy.faults`). Dagster keeps the exception that
ends a step or a tick, with its whole chain, in its event storage, and prints it to the log of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import dagster as dg

from tvdb_pipeline.privacy.faults import shielded
from tvdb_pipeline.privacy.process import be_discreet

P = ParamSpec("P")
T = TypeVar("T")


def shield(work: Callable[P, T]) -> Callable[P, T]:
    """The same function; its exceptions are refusals (TvdbError), Dagster's `Failure`, or a Fault, which names type and place."""

    @wraps(work)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        be_discreet()
        return shielded(lambda: work(*args, **kwargs), dg.Failure)

    return inside
