"""Buys vectors: through the ledger, into the cache, with bounded retries and, where there is one, the fallback client.

Belongs here: the order of those steps. Does not: packing, limits, or what a client does in one attempt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import stamina

from tvdb_pipeline.budget.ledger import BudgetRefused, Ledger, Order, Purpose, Share
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.client import TRANSIENT, Embedded, EmbeddingClient, ProviderError
from tvdb_pipeline.embedding.modes import ProvisionalClient, UnavailableClient

MAX_ATTEMPTS = 3
# What a retry has to say goes into the ledger; stamina's own log would go to stdout, between the lines of an answer.
stamina.instrumentation.set_on_retry_hooks([])


def text_hash(text: str) -> str:
    """sha256 of the UTF-8 text, 64 hex digits: the name of a text in the cache."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text to embed: its hash, exact token count, and the document that pays for it (None for a query)."""

    text: str
    sha256: str
    tokens: int
    document_key: str | None


@dataclass(frozen=True, slots=True)
class Bought:
    """Which model the vectors now in the cache are of, and whether they only stand in for real ones."""

    model: str
    provisional: bool


@dataclass(slots=True)
class Sent:
    """What went to any client, mock included, since the service was made; tokens and nano-dollars only of paid ones."""

    texts: int = 0
    requests: int = 0


class EmbeddingService:
    """Buys vectors with one client. first_wait: seconds before the first retry, doubled (with jitter) for the next."""

    def __init__(self, client: EmbeddingClient, ledger: Ledger, database: Database, first_wait: float = 0.5) -> None:
        self.client = client
        self.sent = Sent()
        self._ledger = ledger
        self._database = database
        self._first_wait = first_wait

    @property
    def provisional(self) -> bool:
        """Whether all vectors of this service stand in for real ones."""
        return isinstance(self.client, ProvisionalClient)

    def buy(self, request: Sequence[Wanted], purpose: Purpose = "documents") -> Bought:
        """Vectors for one packed request, kept in the cache with their bill in one transaction.

        Raises BudgetRefused or ProviderError where there is no fallback.
        """
        if isinstance(self.client, UnavailableClient):
            raise self.client.refusal
        try:
            self._with_retries(self.client, request, purpose)
            return Bought(self.client.model, self.provisional)
        except (BudgetRefused, ProviderError):
            if self.client.fallback is None:
                raise
        stand_in = self.client.fallback
        have = cache.known(self._database, stand_in.model, [wanted.sha256 for wanted in request])
        missing = [wanted for wanted in request if wanted.sha256 not in have]
        if missing:
            self._attempt(stand_in, missing, purpose)
        return Bought(stand_in.model, provisional=True)

    def _with_retries(self, client: EmbeddingClient, request: Sequence[Wanted], purpose: Purpose) -> None:
        for attempt in stamina.retry_context(
            on=_transient, attempts=MAX_ATTEMPTS, wait_initial=self._first_wait, timeout=None
        ):
            with attempt:
                self._attempt(client, request, purpose)

    def _attempt(self, client: EmbeddingClient, request: Sequence[Wanted], purpose: Purpose) -> None:
        order = _order(request, purpose)
        number = (
            self._ledger.reserve(client.model, order) if client.paid else self._ledger.record_free(client.model, order)
        )
        try:
            self.sent.texts += len(request)
            self.sent.requests += 1
            answer: Embedded = client.embed([wanted.text for wanted in request])
        except ProviderError as error:
            if error.billed == "no":
                self._ledger.release(number)
            else:
                self._ledger.charge_unknown(number)
            raise
        except BaseException:
            self._ledger.charge_unknown(number)
            raise
        with self._database.connection() as conn:
            cache.put(conn, client.model, [wanted.sha256 for wanted in request], answer.vectors)
            self._ledger.settle(conn, number, client.model, answer.tokens if client.paid else order.tokens)


def _transient(error: Exception) -> bool:
    return isinstance(error, ProviderError) and error.code in TRANSIENT


def _order(request: Sequence[Wanted], purpose: Purpose) -> Order:
    shares: dict[str, Share] = {}
    for wanted in request:
        if wanted.document_key is not None:
            before = shares.get(wanted.document_key, Share(0, 0))
            shares[wanted.document_key] = Share(before.texts + 1, before.tokens + wanted.tokens)
    return Order(len(request), sum(wanted.tokens for wanted in request), purpose, shares)
