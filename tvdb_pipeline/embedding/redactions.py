"""How much was taken out of each request before it was sent, and what was sent today.

Belongs here: these counts. Does not: taking out (`redaction`), or what a request cost (the ledger).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.requests import Wanted

_LEFT = ("sent", "settled", "charged_unknown")
"""States of a request that has left, or may have."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Texts and tokens that left the house in a window, and what had been taken out of them, by kind."""

    texts: int
    tokens: int
    redacted: dict[str, int]


def note(database: Database, number: int, request: Sequence[Wanted]) -> None:
    """Write down what was taken out of the texts of this request. Nothing is written where nothing was."""
    counts = sum((Counter(wanted.redacted) for wanted in request), Counter[str]())
    if counts:
        database.run(
            "INSERT INTO tvdb.redactions (request_id, kind, count) SELECT %s, * FROM unnest(%s::text[], %s::int[])",
            (number, list(counts), list(counts.values())),
        )


def sent(database: Database, day_starts: datetime) -> Sent:
    """What left in the dollar window that began then."""
    values = {"states": list(_LEFT), "day": day_starts}
    texts, tokens = database.fetch(
        """SELECT coalesce(sum(inputs), 0)::bigint, coalesce(sum(tokens), 0)::bigint FROM tvdb.requests
           WHERE paid AND state = ANY(%(states)s) AND day_starts = %(day)s""",
        values,
    )[0]
    redacted = database.fetch(
        """SELECT t.kind, sum(t.count)::bigint FROM tvdb.redactions t JOIN tvdb.requests q ON q.id = t.request_id
           WHERE q.paid AND q.state = ANY(%(states)s) AND q.day_starts = %(day)s GROUP BY 1 ORDER BY 1""",
        values,
    )
    return Sent(texts, tokens, dict[str, int](redacted))
