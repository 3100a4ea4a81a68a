"""Totals over the whole journal and the whole ledger that do not read both from the start at each scrape.

Belongs here: what was counted so far, and counting what came since. Does not: figures of this moment (`snapshot`).

Numbers are given before rows are committed, so a row may appear below one that was seen earlier. Rows are therefore added to the
base only up to a number whose every transaction has ended: the highest seen in a snapshot is such a number once no transaction is
under way any more that had begun to write by then. What lies above is counted anew at each scrape. So a total is always exactly
that of its snapshot, and after two scrapes each reads no more than what the latest two brought.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.operations.metrics.histograms import BOUNDS, STAGES, Histogram

ENDS: Final = ("ready", "partial", "deferred", "rejected", "failed")
"""States a walk ends in. Entries with another one carry the seconds of an earlier walk, or none."""
FINAL: Final = ("settled", "released")
"""States of a request that never change; one that was charged as unknown may still be settled by a late answer."""


@dataclass(slots=True)
class Watermark:
    """number: rows up to it are in the base; the rest: the highest number of an earlier snapshot, and its pg_snapshot_xmax."""

    number: int = 0
    _candidate: tuple[int, int] | None = None

    def beyond(self, highest: int) -> bool:
        """Whether it has seen higher numbers than there are: an earlier state of the database was put in its place."""
        return max(self.number, self._candidate[0] if self._candidate else 0) > highest

    def reached(self, oldest_running: int) -> int:
        """Up to which number every row is decided. oldest_running: pg_snapshot_xmin of this snapshot."""
        if self._candidate is not None and oldest_running >= self._candidate[1]:
            return self._candidate[0]
        return self.number

    def move(self, reached: int, highest: int, next_transaction: int) -> None:
        """Rows up to `reached` are in the base now; `highest` is the next candidate, unless an earlier one is still open."""
        if self._candidate is None or reached == self._candidate[0]:
            self._candidate = (highest, next_transaction)
        self.number = reached


class Snapshot(NamedTuple):
    """Of the transaction the scrape reads in: pg_snapshot_xmin and pg_snapshot_xmax."""

    oldest_running: int
    next_transaction: int


@dataclass(slots=True)
class Journal:
    """Ends of walks by state, those with an error by state and code, and the seconds of each stage that took any."""

    ends: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    stages: dict[str, Histogram] = field(default_factory=lambda: {stage: Histogram() for stage in STAGES})

    def merge(self, other: Journal) -> None:
        """Count all of the other's, too."""
        self.ends += other.ends
        self.errors += other.errors
        for stage, histogram in other.stages.items():
            self.stages[stage].merge(histogram)


class JournalTotals:
    """The running totals of tvdb.journal, which is only ever added to."""

    def __init__(self) -> None:
        self._base, self._mark = Journal(), Watermark()

    def read(self, conn: Connection, snapshot: Snapshot) -> Journal:
        """The totals as of the transaction's snapshot. What it remembers stays right if the caller fails afterwards."""
        highest = _highest(conn, "SELECT coalesce(max(id), 0) FROM tvdb.journal")
        if self._mark.beyond(highest):
            self._base, self._mark = Journal(), Watermark()
        reached = self._mark.reached(snapshot.oldest_running)
        decided, recent = self._since(conn, reached)
        self._base.merge(decided)
        self._mark.move(reached, highest, snapshot.next_transaction)
        recent.merge(self._base)
        return recent

    def _since(self, conn: Connection, reached: int) -> tuple[Journal, Journal]:
        """What lies above the mark: up to `reached`, and beyond."""
        parts = {True: Journal(), False: Journal()}
        values: dict[str, Any] = {"mark": self._mark.number, "reached": reached, "ends": list(ENDS)}
        for decided, state, code, count in conn.execute(
            """SELECT id <= %(reached)s, state, code, count(*) FROM tvdb.journal
               WHERE id > %(mark)s AND event = 'state' AND state = ANY(%(ends)s) GROUP BY 1, 2, 3""",
            values,
        ):
            parts[decided].ends[state] += count
            if code is not None:
                parts[decided].errors[state, code] += count
        # width_bucket counts bounds that are not above its operand; of bounds and operand negated, those not below the seconds.
        for decided, stage, bucket, count, seconds in conn.execute(
            """SELECT j.id <= %(reached)s, taken.stage, %(bounds)s - width_bucket(-taken.seconds::float, %(negated)s::float[]),
                   count(*), sum(taken.seconds)
               FROM tvdb.journal j, LATERAL (SELECT key, value::numeric FROM jsonb_each_text(j.seconds)) taken (stage, seconds)
               WHERE j.id > %(mark)s AND j.event = 'state' AND j.state = ANY(%(ends)s) AND taken.stage = ANY(%(stages)s)
                   AND taken.seconds > 0 GROUP BY 1, 2, 3""",
            {**values, "stages": list(STAGES), "bounds": len(BOUNDS), "negated": [-bound for bound in BOUNDS[::-1]]},
        ):
            parts[decided].stages[stage].add(bucket, count, seconds)
        return parts[True], parts[False]


class Attempt(NamedTuple):
    """What tells requests apart; each from a closed set."""

    state: str
    purpose: str
    kind: str
    paid: bool


Requests = dict[Attempt, Counter[str]]
"""Of each kind of attempt: `requests`, `tokens`, `cost_nano`."""


class RequestTotals:
    """The running totals of tvdb.requests, whose rows come and change state but never go."""

    def __init__(self) -> None:
        self._base: Requests = {}
        self._mark = Watermark()
        self._open: list[int] = []

    def read(self, conn: Connection, snapshot: Snapshot) -> Requests:
        """The totals as of the transaction's snapshot. What it remembers stays right if the caller fails afterwards."""
        highest = _highest(conn, "SELECT coalesce(max(id), 0) FROM tvdb.requests")
        if self._mark.beyond(highest):
            self._base, self._mark, self._open = {}, Watermark(), []
        reached = self._mark.reached(snapshot.oldest_running)
        values = {"mark": self._mark.number, "reached": reached, "open": self._open, "final": list(FINAL)}
        rows = conn.execute(
            """SELECT id <= %(reached)s AND state = ANY(%(final)s), state, purpose, kind, paid, count(*), sum(tokens)::bigint,
                   sum(cost_nano)::bigint
               FROM (SELECT * FROM tvdb.requests WHERE id > %(mark)s
                     UNION ALL SELECT * FROM tvdb.requests WHERE id = ANY(%(open)s)) anew GROUP BY 1, 2, 3, 4, 5""",
            values,
        ).fetchall()
        self._open = [
            number
            for (number,) in conn.execute(
                """SELECT id FROM tvdb.requests WHERE id > %(mark)s AND id <= %(reached)s AND state <> ALL(%(final)s)
                   UNION ALL SELECT id FROM tvdb.requests WHERE id = ANY(%(open)s) AND state <> ALL(%(final)s)""",
                values,
            ).fetchall()
        ]
        shown = {attempt: Counter(sums) for attempt, sums in self._base.items()}
        for decided, state, purpose, kind, paid, count, tokens, cost in rows:
            attempt = Attempt(state, purpose, kind, paid)
            sums = Counter({"requests": count, "tokens": tokens, "cost_nano": cost})
            for totals in (shown, self._base) if decided else (shown,):
                totals[attempt] = totals.get(attempt, Counter()) + sums
        self._mark.move(reached, highest, snapshot.next_transaction)
        return shown


def _highest(conn: Connection, query: Any) -> int:
    row = conn.execute(query).fetchone()
    assert row is not None
    return row[0]
