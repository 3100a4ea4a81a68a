"""What each document cost.

Belongs here: spreading requests over the documents they were made for. Does not: the requests themselves (`ledger`).

Where the provider counted other tokens than we did, its count is spread over the documents in proportion, with nothing lost to
rounding: the bills of all documents add up to the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import class_row

from tvdb_pipeline.database.pools import Database

_EXACT = sql.SQL(
    """WITH shares AS (
           SELECT s.request_id, s.document_key, s.texts, r.tokens, r.cost_nano / greatest(r.tokens, 1) AS price,
                  sum(s.tokens) OVER (PARTITION BY s.request_id) AS whole,
                  sum(s.tokens) OVER (PARTITION BY s.request_id ORDER BY s.document_key) AS upto, s.tokens AS own
           FROM tvdb.request_shares s JOIN tvdb.requests r ON r.id = s.request_id
           WHERE s.request_id IN (SELECT request_id FROM tvdb.request_shares WHERE document_key = ANY(%(keys)s))),
       exact AS (
           SELECT request_id, document_key, texts, price, div(tokens * upto, greatest(whole, 1))
                  - div(tokens * (upto - own), greatest(whole, 1)) AS tokens FROM shares) """
)


@dataclass(frozen=True, slots=True)
class Bill:
    """What a document cost so far: tokens bought for it, requests that carried any of its texts, nano-dollars."""

    tokens: int
    requests: int
    cost_nano: int


@dataclass(frozen=True, slots=True)
class Share:
    """One attempt of a request that carried texts of a document. request_key: what the provider was told, attempt after attempt.

    state: as in the ledger; texts, tokens and cost_nano: this document's part, booked or, while it is under way, reserved.
    """

    started_at: datetime
    request_key: str
    attempt: int
    kind: str
    model: str
    state: str
    texts: int
    tokens: int
    cost_nano: int


def bills(database: Database, keys: list[str]) -> dict[str, Bill]:
    """The bill of each document that ever was in a request that was, or may have been, charged."""
    query = _EXACT + sql.SQL(
        """SELECT e.document_key, sum(e.tokens)::bigint, count(*), sum(e.tokens * e.price)::bigint
           FROM exact e JOIN tvdb.requests r ON r.id = e.request_id
           WHERE e.document_key = ANY(%(keys)s) AND r.state IN ('settled', 'charged_unknown') GROUP BY 1"""
    )
    with database.connection() as conn:
        rows = conn.execute(query, {"keys": keys}).fetchall()
    return {row[0]: Bill(row[1], row[2], row[3]) for row in rows}


def shares(database: Database, key: str) -> list[Share]:
    """Every attempt made for one document, in order."""
    query = _EXACT + sql.SQL(
        """SELECT r.started_at, r.request_key, r.attempt, r.kind, r.model, r.state, e.texts, e.tokens::bigint,
               (e.tokens * e.price)::bigint AS cost_nano
           FROM exact e JOIN tvdb.requests r ON r.id = e.request_id WHERE e.document_key = ANY(%(keys)s) ORDER BY r.id"""
    )
    with database.connection() as conn, conn.cursor(row_factory=class_row(Share)) as cursor:
        return cursor.execute(query, {"keys": [key]}).fetchall()
