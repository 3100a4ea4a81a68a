"""The fourth stage: vectors for the texts of many documents, packed into as few requests as possible.

Belongs here: which texts are missing, who waits for which, and what a refusal means for whom. Does not: the request itself
(`embedding.service`) or the rows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.budget.orders import BudgetRefused
from tvdb_pipeline.budget.prices import price, shown
from tvdb_pipeline.embedding import cache, refused
from tvdb_pipeline.embedding.packing import Packer
from tvdb_pipeline.embedding.requests import Bought, Purchase, Wanted
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.vectorstore import rows
from tvdb_pipeline.waypoints import passed


class Buying:
    """Collects texts of one batch. Each document comes out, by `add`, `skip` or `flush`, once nothing of it is pending.

    expected: keys of the documents to come. Texts are packed in this order whatever order they arrive in, so that the same
    documents make the same requests each time, those that were quoted.
    """

    def __init__(self, shop: Workshop, expected: Sequence[str]) -> None:
        self._shop = shop
        self._packer: Packer[Wanted] = Packer()
        self._turns = deque(expected)
        self._arrived: dict[str, Work | None] = {}
        self._waiting: dict[str, list[Work]] = {}
        self._stopped: BudgetRefused | None = None

    def add(self, work: Work) -> Iterator[Work]:
        """Take in a chunked document; the documents that are complete now."""
        self._look_up(work)
        work.refusal = self._over_document_limit(work)
        if work.refusal is not None:
            work.pending = set()
        passed("buying.known")
        if work.pending:
            self._remember(work)
            self._arrived[work.key] = work
            yield from self._take_turns()
        else:
            yield from self.skip(work.key)
            yield work

    def skip(self, key: str) -> Iterator[Work]:
        """An expected document has nothing to buy; the documents that are complete now."""
        self._arrived[key] = None
        yield from self._take_turns()

    def flush(self) -> Iterator[Work]:
        """Buy what is left; the documents that are complete now."""
        if rest := self._packer.flush():
            yield from self._buy(rest)

    def take_known(self, work: Work) -> None:
        """Buy nothing: take what the cache has of this client's model, or else of its fallback's."""
        self._look_up(work)
        client = self._shop.embedding.client
        if client.fallback is not None:
            stand_in = client.fallback.model
            have = cache.known(self._shop.database, stand_in, work.pending)
            work.bought |= {name: Bought(stand_in, True) for name in have}
            work.pending -= have
        if work.pending:
            work.pending = set()
            work.refusal = TvdbError(
                "upstream_missing", "Vectors are not there; select embeddings, too.", retryable=True
            )

    def _look_up(self, work: Work) -> None:
        """Sort the document's texts into those that have a vector, those the provider refuses, and those to be bought."""
        assert work.chunks is not None
        model = self._shop.embedding.client.model
        hashes = {piece.sha256 for piece in work.chunks}
        have = cache.known(self._shop.database, model, hashes)
        work.bought = {name: Bought(model, self._shop.embedding.provisional) for name in have}
        work.refused = refused.known(self._shop.database, model, hashes - have)
        work.pending = hashes - have - work.refused

    def _remember(self, work: Work) -> None:
        """Before any is bought: should this process be killed, erasing the document still finds the vectors of its texts."""
        assert work.chunks is not None
        with self._shop.database.connection() as conn:
            rows.remember_texts(conn, work.key, work.chunks)

    def _take_turns(self) -> Iterator[Work]:
        while self._turns and self._turns[0] in self._arrived:
            work = self._arrived.pop(self._turns.popleft())
            if work is not None:
                yield from self._pack(work)

    def _pack(self, work: Work) -> Iterator[Work]:
        assert work.chunks is not None
        for piece in {piece.sha256: piece for piece in work.chunks if piece.sha256 in work.pending}.values():
            waiting = self._waiting.setdefault(piece.sha256, [])
            waiting.append(work)
            if len(waiting) == 1:
                full = self._packer.add(work.wanted(piece))
                if full:
                    yield from self._buy(full)

    def _buy(self, request: list[Wanted]) -> Iterator[Work]:
        passed("buying.packed")
        started = time.monotonic()
        purchase = self._shop.embedding.buy(request, stopped=self._stopped)
        if isinstance(purchase.failure, BudgetRefused):
            # The first call that cannot be paid for is the last of the batch: a smaller one does not jump the queue.
            self._stopped = purchase.failure
        share = (time.monotonic() - started) / len(request)
        for wanted in request:
            for work in self._waiting.pop(wanted.sha256):
                work.seconds["embed"] += share
                _take(work, wanted, purchase)
                if not work.pending:
                    yield work

    def _over_document_limit(self, work: Work) -> BudgetRefused | None:
        client, limit = self._shop.embedding.client, self._shop.ledger.limits.document_nano
        if not client.paid:
            return None
        cost = document_cost(self._shop, work.key, work.tokens_of(work.pending))
        if cost <= limit or not work.pending:
            return None
        return BudgetRefused(
            "document_limit",
            f"Its vectors would cost {shown(cost)}, over the limit of {shown(limit)} a document "
            "(TVDB_DOCUMENT_COST_LIMIT_USD); until then it is found by full text.",
        )


def document_cost(shop: Workshop, key: str, tokens: int) -> int:
    """Nano-dollars a document will have cost once so many tokens more are bought for it."""
    spent = bills(shop.database, [key])
    return tokens * price(shop.embedding.client.model) + (spent[key].cost_nano if spent else 0)


def _take(work: Work, wanted: Wanted, purchase: Purchase) -> None:
    """Note what became of one text of a document."""
    name = wanted.sha256
    work.pending.discard(name)
    if name in purchase.bought:
        work.bought[name] = purchase.bought[name]
        work.fetched += wanted.document_key == work.key
    elif name in purchase.refused:
        work.refused.add(name)
    else:
        work.refusal = work.refusal or purchase.withheld.get(name) or purchase.failure
