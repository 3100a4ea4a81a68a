"""Watching a run from within its process.

Belongs here: the type of an observer. Does not: what it shows.
"""

from __future__ import annotations

from collections.abc import Callable

from tvdb_pipeline.ingest.outcomes import StageOutcome

Observer = Callable[[StageOutcome], None]


def nobody(_: StageOutcome) -> None:
    """The observer of runs nobody watches."""
