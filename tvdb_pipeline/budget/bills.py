"""What each document cost.

Belongs here: spreading requests over the documents they were made for. Does not: the requests themselves (`ledger`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tvdb_pipeline.database.pools import Database


@dataclass(frozen=True, slots=True)
class Bill:
    """What a document cost so far: tokens bought for it, requests that carried any of its texts, nano-dollars."""

    tokens: int
    requests: int
    cost_nano: int


def bills(database: Database, keys: list[str]) -> dict[str, Bill]:
    """The bill of each document that ever was in a request that was, or may have been, charged.

    Where the provider counted other tokens than we did, its count is spread over the documents in proportion, with nothing
    lost to rounding: the bills of all documents add up to the ledger.
    """
    rows = database.fetch(
        """WITH shares AS (
               SELECT s.document_key, r.tokens, r.cost_nano / greatest(r.tokens, 1) AS price,
                      sum(s.tokens) OVER (PARTITION BY s.request_id) AS whole,
                      sum(s.tokens) OVER (PARTITION BY s.request_id ORDER BY s.document_key) AS upto, s.tokens AS own
               FROM tvdb.request_shares s JOIN tvdb.requests r ON r.id = s.request_id
               WHERE r.state IN ('settled', 'charged_unknown') AND s.request_id IN
                     (SELECT request_id FROM tvdb.request_shares WHERE document_key = ANY(%(keys)s))),
           exact AS (
               SELECT document_key, price, div(tokens * upto, greatest(whole, 1))
                      - div(tokens * (upto - own), greatest(whole, 1)) AS tokens FROM shares)
           SELECT document_key, sum(tokens)::bigint, count(*), sum(tokens * price)::bigint
           FROM exact WHERE document_key = ANY(%(keys)s) GROUP BY 1""",
        {"keys": keys},
    )
    return {row[0]: Bill(row[1], row[2], row[3]) for row in rows}
