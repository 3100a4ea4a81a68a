"""What can go on by itself now: documents whose worker was killed, that waited, or whose vectors only stand in for real ones.

Belongs here: finding them, and tidying up after processes that were killed. Does not: asking for runs, or looking at the upload
folder (`watching`).
"""

from __future__ import annotations

from collections.abc import Sequence

from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.chunking.cuts import MAX_CHUNK_TOKENS
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.embedding.packing import MAX_INPUTS, MAX_TOKENS
from tvdb_pipeline.ingest import forgetting, removal
from tvdb_pipeline.ingest.sources import is_there
from tvdb_pipeline.ingest.workshop import Workshop

MAX_ATTEMPTS = 5
"""Runs a failing document is given before it waits for a person (or for its file to change)."""


def due(shop: Workshop) -> list[Document]:
    """Documents to be taken up again: lapsed, deferred or failed and due, or provisional where real vectors can be had now.

    Tidies up first. What was only registered waits for whoever registered it, unless that was to run it and was killed before it
    could.
    """
    tidy(shop)
    found = [
        document
        for document in registry.resumable(shop.database, MAX_ATTEMPTS)
        if document.attempts > 0 or document.next_attempt_at is not None
    ]
    return [document for document in found if is_there(shop, document)] + _replaceable(shop)


def tidy(shop: Workshop) -> None:
    """Take in answers left behind by killed processes, end lapsed reservations, remove half-written files, and forget what is
    still kept of documents that were erased."""
    shop.embedding.recover()
    shop.artifacts.sweep()
    removal.complete(shop)
    forgetting.forget_due(shop)
    removal.drop_orphans(shop)


def _replaceable(shop: Workshop) -> list[Document]:
    """Documents with provisional vectors, as many as the budget has room for; one while it is not known that all is well."""
    service = shop.embedding
    if not service.client.paid or service.client.fallback is None or not service.breaker.may_ask():
        return []
    rows = shop.database.fetch(
        """SELECT r.document_key, count(*), sum(r.tokens)::bigint FROM tvdb.vector_rows r
           JOIN tvdb.documents d ON d.key = r.document_key
           WHERE r.provisional AND (d.claim_until IS NULL OR d.claim_until < now()) GROUP BY 1 ORDER BY 1"""
    )
    sizes = {key: (texts, tokens) for key, texts, tokens in rows}
    found = registry.load(shop.database, sizes)
    found = [document for document in found if document.state in registry.SEARCHABLE and is_there(shop, document)]
    chosen = _affordable(shop, [(document, *sizes[document.key]) for document in found])
    return chosen if service.breaker.state().state == "closed" else chosen[:1]


def _affordable(shop: Workshop, wanted: Sequence[tuple[Document, int, int]]) -> list[Document]:
    """Those of (document, texts, tokens) that fit into what is left of the windows, in order.

    Where none fits as a whole, the first is begun: what is left of the day buys a part of it, and another day the rest.
    """
    now, limits = shop.ledger.state(), shop.ledger.limits
    requests = limits.hourly_requests - now.requests
    left_texts, left = requests * MAX_INPUTS, requests * MAX_TOKENS
    left = min(left, (limits.daily_nano - now.spent_nano - now.held_nano) // price(shop.embedding.client.model))
    chosen: list[Document] = []
    for document, texts, tokens in wanted:
        if texts <= left_texts and tokens <= left:
            chosen.append(document)
            left_texts, left = left_texts - texts, left - tokens
    return chosen or [document for document, _, _ in wanted[:1] if left >= MAX_CHUNK_TOKENS]
