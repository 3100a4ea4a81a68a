"""When each document was ready, how long it took, and what it used, while other processes work on it.

Belongs here: looking from outside, by the document table and /proc. Does not: starting those processes.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.load import watching
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry


class Progress:
    """Call `look` often. Seconds count from the making of this object, when all documents are there.

    ready: key -> seconds until it was first seen ready or partial; work: key -> the longest any one walk of it took, as `tvdb
    status` gives it; deferred: keys that were seen waiting for vectors; peaks: most bytes by whom; exits: how many of the
    processes ended with each exit code.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._began = database, time.monotonic()
        self.ready: dict[str, float] = {}
        self.work: dict[str, float] = {}
        self.deferred: set[str] = set()
        self.exits: Counter[int] = Counter()
        self.peaks: dict[str, int] = dict.fromkeys(
            ("an ingest", "a parsing process", "an ingest with its children", "all ingests"), 0
        )

    def look(self, commands: Sequence[int]) -> None:
        """One look at the documents, and at these processes with their children."""
        now = time.monotonic() - self._began
        for document in registry.load(self._database):
            seconds = sum(document.seconds.values())
            self.work[document.key] = max(seconds, self.work.get(document.key, 0.0))
            if document.state in registry.SEARCHABLE:
                self.ready.setdefault(document.key, now)
            elif document.state == "deferred":
                self.deferred.add(document.key)
        together = 0
        for command in commands:
            own, children = watching.resident(command), list(map(watching.resident, watching.descendants(command)))
            together += own + sum(children)
            self._peak("an ingest", own)
            self._peak("a parsing process", max(children, default=0))
            self._peak("an ingest with its children", own + sum(children))
        self._peak("all ingests", together)

    def _peak(self, name: str, size: int) -> None:
        self.peaks[name] = max(size, self.peaks[name])


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed, between neighbours in proportion. ValueError for fewer than two values."""
    if len(values) < 2:
        raise ValueError("percentiles need two values or more")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
