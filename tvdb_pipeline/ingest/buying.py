"""The fourth stage: vectors for the texts of many documents, packed into as few requests as possible.

Belongs here: which texts are missing, who waits for which, and what a refusal means for whom. Does not: the request itself
(`embedding.service`) or the rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.budget.ledger import BudgetRefused
from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.client import ProviderError
from tvdb_pipeline.embedding.packing import Packer
from tvdb_pipeline.embedding.service import Bought, Wanted
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop


class Buying:
    """Collects texts of one batch. Each document comes out, by `add` or `flush`, once nothing of it is pending."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._packer: Packer[Wanted] = Packer()
        self._waiting: dict[str, list[Work]] = {}

    def add(self, work: Work) -> Iterator[Work]:
        """Take in a chunked document; the documents that are complete now."""
        assert work.chunks is not None
        model = self._shop.embedding.client.model
        hashes = {piece.sha256 for piece in work.chunks}
        have = cache.known(self._shop.database, model, hashes)
        work.bought = {name: Bought(model, self._shop.embedding.provisional) for name in have}
        work.pending = hashes - have
        work.refusal = self._over_document_limit(work)
        if work.refusal is not None:
            work.pending = set()
        if not work.pending:
            yield work
            return
        for piece in {piece.sha256: piece for piece in work.chunks if piece.sha256 in work.pending}.values():
            waiting = self._waiting.setdefault(piece.sha256, [])
            waiting.append(work)
            if len(waiting) == 1:
                full = self._packer.add(Wanted(piece.text, piece.sha256, piece.tokens, work.key))
                if full:
                    yield from self._buy(full)

    def flush(self) -> Iterator[Work]:
        """Buy what is left; the documents that are complete now."""
        if rest := self._packer.flush():
            yield from self._buy(rest)

    def take_known(self, work: Work) -> None:
        """Buy nothing: take what the cache has of this client's model, or else of its fallback's."""
        assert work.chunks is not None
        client = self._shop.embedding.client
        hashes = {piece.sha256 for piece in work.chunks}
        if client.fallback is not None:
            stand_in = client.fallback.model
            work.bought = {name: Bought(stand_in, True) for name in cache.known(self._shop.database, stand_in, hashes)}
        own = cache.known(self._shop.database, client.model, hashes)
        work.bought |= {name: Bought(client.model, self._shop.embedding.provisional) for name in own}
        if hashes - work.bought.keys():
            work.refusal = TvdbError(
                "upstream_missing", "Vectors are not there; select embeddings, too.", retryable=True
            )

    def _buy(self, request: list[Wanted]) -> Iterator[Work]:
        started = time.monotonic()
        bought: Bought | None = None
        refusal: TvdbError | None = None
        try:
            bought = self._shop.embedding.buy(request)
        except (BudgetRefused, ProviderError) as error:
            refusal = error
        share = (time.monotonic() - started) / len(request)
        for wanted in request:
            for work in self._waiting.pop(wanted.sha256):
                work.pending.discard(wanted.sha256)
                work.seconds["embed"] += share
                if bought is not None:
                    work.bought[wanted.sha256] = bought
                work.refusal = work.refusal or refusal
                if not work.pending:
                    yield work

    def _over_document_limit(self, work: Work) -> BudgetRefused | None:
        client, limit = self._shop.embedding.client, self._shop.ledger.limits.document_nano
        if not client.paid:
            return None
        spent = bills(self._shop.database, [work.key])
        cost = work.tokens_of(work.pending) * price(client.model) + (spent[work.key].cost_nano if spent else 0)
        if cost <= limit or not work.pending:
            return None
        return BudgetRefused(
            "document_limit",
            f"Its vectors would cost ${cost / 1e9:.4f}, over the limit of ${limit / 1e9:.2f} a document "
            "(TVDB_DOCUMENT_COST_LIMIT_USD); until then it is found by full text.",
        )
