"""Documents and budget as people and programs see them.

Belongs here: putting a document's row and its bill together, in the shape `--json` prints. Does not: printing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from tvdb_pipeline.budget.bills import Bill, bills
from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.prices import dollars
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.embedding import redactions
from tvdb_pipeline.embedding.breaker import Breaker


def overview(database: Database, keys: Collection[str] | None = None) -> list[dict[str, Any]]:
    """One object a document, in order of registration; those of `keys` only, if given."""
    documents = registry.load(database, keys)
    billed = bills(database, [document.key for document in documents])
    return [_object(document, billed.get(document.key, Bill(0, 0, 0))) for document in documents]


def budget_overview(ledger: Ledger, breaker: Breaker, database: Database) -> dict[str, Any]:
    """Spent and held today, requests of the last hour, the limits, the breaker, and what was sent today.

    `opens_at`: when the next request of the window frees; `retry_at`: when the breaker lets a probe through; `code`: the
    failure that opened it.
    """
    state, limits, provider = ledger.state(), ledger.limits, breaker.state()
    retry_at = provider.retry_at or provider.probe_until
    return {
        "day": {
            "limit_usd": dollars(limits.daily_nano),
            "spent_usd": dollars(state.spent_nano),
            "held_usd": dollars(state.held_nano),
        },
        "hour": {
            "limit_requests": limits.hourly_requests,
            "used_requests": state.requests,
            "retries": state.retries,
            "opens_at": state.opens_at.isoformat() if state.opens_at else None,
        },
        "breaker": {
            "state": provider.state,
            "code": provider.code,
            "retry_at": retry_at.isoformat() if retry_at else None,
        },
        "sent": asdict(redactions.sent(database, ledger.day_starts())),
    }


def _object(document: Document, bill: Bill) -> dict[str, Any]:
    return {
        "key": document.key,
        "path": document.path,
        "parent": document.parent_key,
        "state": document.state,
        "stage": document.stage,
        "error": document.error,
        "next_attempt_at": document.next_attempt_at.isoformat() if document.next_attempt_at else None,
        "pages": document.pages,
        "page_coverage": document.page_coverage,
        "chunks": document.chunks,
        "vectors": document.vectors,
        "provisional_vectors": document.provisional_vectors,
        "tokens": bill.tokens,
        "requests": bill.requests,
        "cost_usd": dollars(bill.cost_nano),
        "seconds": document.seconds,
        "content_sha256": document.content_sha256,
        "embedding_model": document.embedding_model,
        "bytes": document.bytes,
    }
