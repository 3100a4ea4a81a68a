"""What a load test ended with: documents, rows, texts, requests and money, and which promises that breaks.

Belongs here: counting and judging. Does not: the load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tvdb_pipeline.budget.orders import Limits
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.resilience import storm_figures


@dataclass(frozen=True, slots=True)
class Ended:
    """states: documents by state; wrong_rows: documents whose rows are not their chunks, one each with a vector; bought_twice:
    texts among the provider's charged inputs more than once; outcomes: requests by what became of them; deferred: documents
    that had to wait; money: provider's log against ledger."""

    states: dict[str, int]
    wrong_rows: int
    bought_twice: int
    outcomes: dict[str, int]
    deferred: int
    money: storm_figures.Figures


def count(
    database: Database, provider: FakeOpenAI, limits: Limits, window: float, deferred: int, seconds: float
) -> Ended:
    """Count what is there once everything has come to rest. window: seconds of the request window."""
    states = dict[str, int](database.fetch("SELECT state, count(*) FROM tvdb.documents GROUP BY 1 ORDER BY 1"))  # pyright: ignore
    wrong = database.fetch(
        """SELECT count(*) FROM tvdb.documents d
           LEFT JOIN (SELECT document_key, count(*) AS rows, count(embedding) AS vectors, count(DISTINCT chunk_index) AS chunks
                      FROM tvdb.vector_rows GROUP BY 1) r ON r.document_key = d.key
           WHERE d.chunks = 0 OR (d.chunks, d.chunks, d.vectors) IS DISTINCT FROM (r.rows, r.chunks, r.vectors)
              OR d.vectors <> d.chunks"""
    )[0][0]
    money = storm_figures.compare(
        database, provider.log, limits, window, attempts=provider.attempts, kills=0, seconds=seconds
    )
    return Ended(
        states=states,
        wrong_rows=wrong,
        bought_twice=repeated(provider.texts),
        outcomes=dict(Counter(entry.outcome for entry in provider.log).most_common()),
        deferred=deferred,
        money=money,
    )


def repeated(texts: Sequence[str]) -> int:
    """How many texts are there beyond the first of each kind."""
    return len(texts) - len(set(texts))


def faults_of(ended: Ended) -> list[str]:
    """The promises that were broken, in words; empty if all hold."""
    money = ended.money
    broken = {
        f"documents ended as {ended.states}": bool(set(ended.states) - {"ready", "partial"}),
        f"{ended.wrong_rows} documents whose rows are not their chunks": ended.wrong_rows > 0,
        f"{ended.bought_twice} texts bought twice": ended.bought_twice > 0,
        "ledger and bill differ, and nothing was charged for want of knowledge": money.unknown == 0
        and money.ledger_tokens != money.server_tokens,
        "nobody was refused for the rate or a failure, so nothing was shown": len(ended.outcomes) < 2,
        "no document had to wait for the request window, so nothing was shown": ended.deferred == 0,
    }
    return storm_figures.faults_of(money, kills=True) + [words for words, is_broken in broken.items() if is_broken]
