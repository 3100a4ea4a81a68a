"""Takes in answers whose process was killed before it could keep them.

Belongs here: slips left behind -> cache and ledger. Does not: slips themselves, or reservations nobody has an answer to (the
ledger ends those when their lease runs out).
"""

from __future__ import annotations

import psycopg

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import cache, claims
from tvdb_pipeline.embedding.answers import read_answer
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.slips import Label, Slips


def take_in(database: Database, ledger: Ledger, slips: Slips) -> int:
    """Keep what the slips hold, as the process would have; how many answers. Slips of other databases stay where they are."""
    taken = 0
    for label, body, slip in slips.left_behind():
        number = ledger.number_of(label.request_key, label.attempt)
        if number is not None:
            taken += _keep(database, ledger, number, label, body)
            slip.drop()
    return taken


def _keep(database: Database, ledger: Ledger, number: int, label: Label, body: bytes) -> bool:
    """Whether the answer was whole. One that was not, or that the database refuses, is forgotten: its lease is running out."""
    try:
        answer = read_answer(body, len(label.hashes))
        with database.connection() as conn:
            cache.put(conn, label.model, label.hashes, answer.vectors)
            ledger.settle(conn, number, label.model, answer.tokens)
            claims.fulfil(conn, label.owner, label.hashes)
    except (ProviderError, psycopg.DataError):
        with database.connection() as conn:
            claims.fulfil(conn, label.owner, label.hashes)
        return False
    return True
