"""What must be true when everything has come to rest after the kills, and what was told meanwhile.

Belongs here: outages and the messages that belong to them, the counts at the end. Does not: killing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from benchmarks.chaos.parts import Part
from benchmarks.chaos.receiver import Message
from tvdb_pipeline_tests.fake_openai.process import ServerProcess

UNFIT = ("-empty.pdf", "-torn.pdf")
_TOLD: Mapping[Part, tuple[str, str]] = {
    "daemon": ("part_died", "The daemon on"),
    "code-server": ("part_died", "The code-server on"),
    "database": ("database_unreachable", ""),
    "run-worker": ("run_failed", ""),
}
"""The alert's name and what it is about; a worker's may also be none: the run may have ended just before."""


@dataclass(slots=True)
class Outage:
    """One kill. at, ended: seconds since 1970."""

    part: Part
    pid: int
    at: float
    ended: float = 0.0

    def told(self, messages: Sequence[Message]) -> bool:
        """Whether an alert came of it."""
        return any(message.at >= self.at and _concerns(message, self.part, over=False) for message in list(messages))

    def over(self, messages: Sequence[Message]) -> bool:
        """Whether its end was told, after its beginning."""
        told = [m.at for m in list(messages) if m.at >= self.at and _concerns(m, self.part, over=False)]
        return bool(told) and any(m.at >= told[0] and _concerns(m, self.part, over=True) for m in list(messages))


@dataclass(frozen=True, slots=True)
class Ended:
    """figures: counts for the record; broken: a sentence for each promise that was."""

    figures: dict[str, Any]
    broken: list[str]


def at_rest(environment: Mapping[str, str], written: Collection[str]) -> bool:
    """Whether every file has ended, no run is under way, nothing is claimed or held, and no alert fires."""
    with suppress(psycopg.Error), psycopg.connect(environment["TVDB_DATABASE_URL"], connect_timeout=5) as conn:
        ended = _one(
            conn,
            """SELECT count(*) FILTER (WHERE parent_key IS NULL),
                      count(*) FILTER (WHERE state NOT IN ('ready', 'partial', 'rejected') OR claim_until > now())
               FROM tvdb.documents WHERE state <> 'deleted'""",
        )
        runs = _one(conn, "SELECT count(*) FROM dagster.runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')")
        held = _one(conn, "SELECT count(*) FROM tvdb.requests WHERE lease_until IS NOT NULL")
        firing = _one(conn, "SELECT count(*) FROM tvdb.alerts WHERE resolved_at IS NULL")
        return ended == (len(written), 0) and runs == (0,) and held == (0,) and firing == (0,)
    return False


def count(
    environment: Mapping[str, str],
    outages: Sequence[Outage],
    messages: Sequence[Message],
    written: Collection[str],
    provider: ServerProcess,
) -> Ended:
    """Count and judge. written: names of the files that arrived."""
    with psycopg.connect(environment["TVDB_DATABASE_URL"]) as conn:
        states = dict(conn.execute("SELECT path, state FROM tvdb.documents WHERE parent_key IS NULL").fetchall())
        wrong = _one(
            conn,
            """SELECT count(*) FROM tvdb.documents d
               WHERE d.state IN ('ready', 'partial') AND (d.chunks = 0 OR d.chunks <>
                     (SELECT count(embedding) FROM tvdb.vector_rows r WHERE r.document_key = d.key))""",
        )[0]
        runs = dict(conn.execute("SELECT status, count(*) FROM dagster.runs GROUP BY 1").fetchall())
        ledger = int(_one(conn, "SELECT coalesce(sum(cost_nano), 0) FROM tvdb.requests WHERE paid")[0])
    bill = provider.bill_nano
    hanging = sum(number for status, number in runs.items() if status not in ("SUCCESS", "FAILURE", "CANCELED"))
    judged = [outage for outage in outages if outage.part != "run-worker"]
    untold = [outage for outage in judged if not outage.told(messages)]
    unended = [outage for outage in judged if outage.told(messages) and not outage.over(messages)]
    lost = [name for name in written if name not in states]
    unfit = {name for name in written if name.endswith(UNFIT)}
    astray = {
        name: state
        for name, state in states.items()
        if state not in (("rejected",) if name in unfit else ("ready", "partial"))
    }
    broken = [
        *([f"{len(lost)} files were never taken up"] if lost else []),
        *([f"documents ended as {dict(Counter(astray.values()))} that should not"] if astray else []),
        *([f"{wrong} documents lack rows"] if wrong else []),
        *([f"{hanging} runs hang"] if hanging else []),
        *([f"the ledger is {bill - ledger} nano-dollars below the bill"] if ledger < bill else []),
        *([f"no alert for {dict(Counter(each.part for each in untold))}"] if untold else []),
        *([f"no end told of {dict(Counter(each.part for each in unended))}"] if unended else []),
    ]
    figures = {
        "states": dict(Counter(states.values())),
        "runs": runs,
        "ledger_nano": ledger,
        "bill_nano": bill,
        "messages": len(messages),
        "outages_told": len(judged) - len(untold),
        "ends_told": len(judged) - len(untold) - len(unended),
        "workers_killed_told": sum(o.told(messages) for o in outages if o.part == "run-worker"),
    }
    return Ended(figures, broken)


def _concerns(message: Message, part: Part, *, over: bool) -> bool:
    name, subject = _TOLD[part]
    headline = message.text.partition("\n")[0]
    return name in headline and subject in message.text and ("] OVER " in headline) == over


def _one(conn: psycopg.Connection[Any], query: LiteralString) -> tuple[Any, ...]:
    row = conn.execute(query).fetchone()
    assert row is not None
    return tuple(row)
