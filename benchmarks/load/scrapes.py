"""What `tvdb metrics` answers while the load runs, against ledger and document table.

Belongs here: asking both, and comparing. Does not: what the endpoint measures (`operations.metrics`).

Nothing stands still while a scrape is made. So the tables are read before it and after it: where nothing happened between the two
readings, the scrape has to say the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import LiteralString

from benchmarks import grounds
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.settings import NANO_DOLLARS
from tvdb_pipeline_tests.operations.metrics.scraping import Series, by, parsed, total, value

_START_SECONDS = 60.0
_TABLES: LiteralString = """
    SELECT 'documents ' || state, count(*) FROM tvdb.documents GROUP BY 1
    UNION ALL SELECT 'requests ' || state, count(*) FROM tvdb.requests GROUP BY 1
    UNION ALL SELECT 'nano-dollars ' || state, coalesce(sum(cost_nano), 0) FROM tvdb.requests
        WHERE state IN ('settled', 'charged_unknown') GROUP BY 1
    UNION ALL SELECT 'tokens', coalesce(sum(tokens), 0) FROM tvdb.requests WHERE state = 'settled'
    UNION ALL SELECT 'vector rows', count(*) FROM tvdb.vector_rows
    UNION ALL SELECT 'spent', spent_nano FROM tvdb.dollar_windows WHERE starts = date_trunc('day', now(), 'UTC')
    UNION ALL SELECT 'happened: journal', count(*) FROM tvdb.journal
    UNION ALL SELECT 'happened: claims', coalesce(sum(fence), 0) FROM tvdb.documents
    UNION ALL SELECT 'held', held_nano FROM tvdb.dollar_windows WHERE starts = date_trunc('day', now(), 'UTC')"""


class Scrapes:
    """Call `look` often. looks: scrapes made; compared: those during which the tables stood still; differences: what differed."""

    def __init__(self, database: Database, url: str) -> None:
        self._database, self._url = database, url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.looks = self.compared = 0
        self.differences: list[str] = []

    def look(self) -> None:
        """One scrape between two readings of the tables."""
        before = self._tables()
        told = _told(self._scrape())
        self.looks += 1
        if before != self._tables():
            return
        self.compared += 1
        before = {name: count for name, count in before.items() if not name.startswith("happened")}
        self.differences += [
            f"{name}: {before.get(name, 0)} in the tables, {told.get(name, 0)} scraped"
            for name in sorted(before.keys() | told.keys())
            if before.get(name, 0) != told.get(name, 0)
        ]

    def _tables(self) -> dict[str, int]:
        return {name: int(count) for name, count in self._database.fetch(_TABLES)}

    def _scrape(self) -> Series:
        with self._opener.open(self._url, timeout=30) as answer:
            return parsed(answer.read().decode())


def _told(series: Series) -> dict[str, int]:
    """The same figures under the same names, as the scrape has them."""
    requests = by(series, "tvdb_requests_total", "state") | by(series, "tvdb_requests_open", "state")
    return {
        **{f"documents {state}": int(count) for state, count in by(series, "tvdb_documents", "state").items()},
        **{
            f"requests {state}": int(
                total(series, "tvdb_requests_total", state=state) + total(series, "tvdb_requests_open", state=state)
            )
            for state in requests
        },
        "nano-dollars settled": int(total(series, "tvdb_settled_nanodollars_total")),
        "nano-dollars charged_unknown": int(total(series, "tvdb_charged_unknown_nanodollars")),
        "tokens": int(total(series, "tvdb_tokens_total")),
        "vector rows": int(value(series, "tvdb_vector_rows")),
        "spent": round(value(series, "tvdb_budget_spent_dollars") * NANO_DOLLARS),
        "held": round(value(series, "tvdb_budget_held_dollars") * NANO_DOLLARS),
    }


@contextmanager
def scraped(variables: Mapping[str, str], database: Database, port: int) -> Generator[Scrapes]:
    """`tvdb metrics` as a process of its own while this context is open. Raises RuntimeError if it does not answer."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tvdb_pipeline.cli", "metrics"], cwd=grounds.ROOT, stderr=subprocess.DEVNULL,
        env={**os.environ, **variables, "TVDB_METRICS_PORT": str(port)},
    )  # fmt: skip
    try:
        scrapes, end = Scrapes(database, f"http://127.0.0.1:{port}/metrics"), time.monotonic() + _START_SECONDS
        while scrapes.looks == 0:
            with suppress(OSError):
                scrapes.look()
            if scrapes.looks == 0 and (process.poll() is not None or time.monotonic() > end):
                raise RuntimeError("tvdb metrics does not answer")
            time.sleep(0.1)
        yield scrapes
    finally:
        process.terminate()
        process.wait(30)
