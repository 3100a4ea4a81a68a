"""Buys vectors: each text once, through the ledger, into the cache, with the fallback client where there is one.

Belongs here: which texts of a request are asked for, by whom, and what becomes of those that fail. Does not: packing, limits, or
how one request is made (`attempts`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetRefused, Kind, Purpose, ReservationLapsed
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import cache, claims, refused
from tvdb_pipeline.embedding.attempts import Attempts, Patience
from tvdb_pipeline.embedding.bisection import refused_inputs
from tvdb_pipeline.embedding.breaker import Breaker
from tvdb_pipeline.embedding.client import EmbeddingClient
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.modes import ProvisionalClient, UnavailableClient
from tvdb_pipeline.embedding.recovery import take_in
from tvdb_pipeline.embedding.requests import Bought, Purchase, Wanted
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.waypoints import passed

_POLL_SECONDS = 0.2
_DOUBTFUL_REFUSALS = 3
"""So many inputs refused one by one and none accepted: it is not the inputs that are at fault, but the request."""


class EmbeddingService:
    """Buys vectors with one client."""

    def __init__(
        self, client: EmbeddingClient, ledger: Ledger, database: Database, breaker: Breaker, slips: Slips,
        patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self.client = client
        self.breaker = breaker
        self._ledger = ledger
        self._database = database
        self._slips = slips
        self._attempts = Attempts(client, ledger, breaker, database, slips, patience or Patience())

    @property
    def provisional(self) -> bool:
        """Whether all vectors of this service stand in for real ones."""
        return isinstance(self.client, ProvisionalClient)

    def buy(
        self, request: Sequence[Wanted], purpose: Purpose = "documents", *, stand_in: bool = True,
        stopped: TvdbError | None = None,
    ) -> Purchase:  # fmt: skip
        """Vectors for one packed request. Raises nothing for what provider or budget refuse.

        stand_in: whether the fallback client may answer instead; stopped: a refusal that stands already, so that the client
        itself is not asked.
        """
        request = list({wanted.sha256: wanted for wanted in request}.values())
        purchase = Purchase(failure=stopped)
        if isinstance(self.client, UnavailableClient):
            purchase.failure = self.client.refusal
        elif not self.client.paid:
            self._attempts.make_free(request, purpose)
            purchase.bought = {wanted.sha256: Bought(self.client.model, self.provisional) for wanted in request}
        elif stopped is None:
            self._buy_paid(request, purpose, purchase)
        if purchase.failure is not None and self.client.fallback is not None and stand_in:
            self._stand_in(self.client.fallback, purchase.open(request), purpose, purchase)
        return purchase

    def recover(self) -> None:
        """Take in answers whose process was killed before it could keep them, and end lapsed reservations."""
        take_in(self._database, self._ledger, self._slips)
        self._ledger.reap()

    def _buy_paid(self, request: Sequence[Wanted], purpose: Purpose, purchase: Purchase) -> None:
        """Buy what nobody else is buying, then wait for the rest."""
        model = self.client.model
        lengths, patience = self._ledger.lengths, self._attempts.patience
        lease = lengths.held_lease + lengths.sent_lease + patience.longest
        claimed = claims.TextClaims(self._database, model, lease)
        passed("texts.claiming")
        try:
            while pending := purchase.open(request):
                names = [wanted.sha256 for wanted in pending]
                # A query is a few tokens, and nobody waits for whoever may be asking the same.
                mine = set(names) if purpose == "query" else claimed.take(names)
                passed("texts.claimed")
                # Looked up only now: whoever bought one of them gave up its claim with its vector in the cache.
                purchase.bought |= dict.fromkeys(cache.known(self._database, model, names), Bought(model, False))
                purchase.refused |= refused.known(self._database, model, names)
                batch = [wanted for wanted in purchase.open(request) if wanted.sha256 in mine]
                if batch:
                    self._buy_mine(batch, purpose, purchase, claimed)
                elif purchase.open(request):
                    time.sleep(_POLL_SECONDS)
                if purchase.failure is not None:
                    return
        finally:
            claimed.give_up()

    def _buy_mine(self, batch: list[Wanted], purpose: Purpose, purchase: Purchase, claimed: claims.TextClaims) -> None:
        """Ask for texts that are claimed. What is left open afterwards has its reason in `failure`.

        What still fits into the day is bought, text by text in order; then nothing more is.
        """
        while batch:
            try:
                self._ask(batch, purpose, purchase, claimed, "first")
                return
            except BudgetRefused as refusal:
                if refusal.documents:
                    over = {wanted.sha256 for wanted in batch if wanted.document_key in refusal.documents}
                    purchase.withheld |= dict.fromkeys(over, refusal)
                    batch = [wanted for wanted in batch if wanted.sha256 not in over]
                else:
                    purchase.failure = refusal
                    batch = _fitting(batch, refusal.tokens_left)
            except ProviderError as error:
                if error.code == "bad_request":
                    self._bisect(batch, purpose, purchase, claimed, error)
                else:
                    purchase.failure = error
                return
            except ReservationLapsed as error:
                purchase.failure = error
                return

    def _bisect(
        self,
        batch: list[Wanted],
        purpose: Purpose,
        purchase: Purchase,
        claimed: claims.TextClaims,
        error: ProviderError,
    ) -> None:
        """Find the inputs the provider refuses, and buy all others on the way."""
        about_input = bool(error.about_input)
        accepted = 0

        def accepts(start: int, stop: int) -> bool:
            nonlocal about_input, accepted
            passed("bisection.halved")
            try:
                self._ask(batch[start:stop], purpose, purchase, claimed, "bisection")
            except ProviderError as inner:
                if inner.code != "bad_request":
                    raise
                about_input = about_input or bool(inner.about_input)
                return False
            accepted += stop - start
            return True

        found: set[str] = set()
        try:
            for position in refused_inputs(len(batch), accepts):
                found.add(batch[position].sha256)
                if not about_input and not accepted and len(found) == _DOUBTFUL_REFUSALS:
                    break
        except (BudgetRefused, ProviderError, ReservationLapsed) as stop:
            purchase.failure = stop
        if about_input or accepted:
            with self._database.connection() as conn:
                refused.note(conn, self.client.model, found)
            passed("refused.noted")
            purchase.refused |= found
        elif purchase.failure is None:
            purchase.failure = error

    def _ask(
        self, batch: Sequence[Wanted], purpose: Purpose, purchase: Purchase, claimed: claims.TextClaims, kind: Kind
    ) -> None:
        names = [wanted.sha256 for wanted in batch]

        def renew() -> None:
            if purpose == "documents":
                claimed.take(names)

        self._attempts.make(batch, purpose, claimed.owner, kind, renew)
        purchase.bought |= {wanted.sha256: Bought(self.client.model, False) for wanted in batch}

    def _stand_in(
        self, fallback: EmbeddingClient, texts: Sequence[Wanted], purpose: Purpose, purchase: Purchase
    ) -> None:
        have = cache.known(self._database, fallback.model, [wanted.sha256 for wanted in texts])
        missing = [wanted for wanted in texts if wanted.sha256 not in have]
        if missing:
            replace(self._attempts, client=fallback).make_free(missing, purpose)
            passed("fallback.made")
        purchase.bought |= {wanted.sha256: Bought(fallback.model, True) for wanted in texts}


def _fitting(batch: Sequence[Wanted], tokens: int) -> list[Wanted]:
    """The first texts of a batch, as many as so many tokens pay for."""
    sums = accumulate(wanted.tokens for wanted in batch)
    return [wanted for wanted, upto in zip(batch, sums, strict=True) if upto <= tokens]
