"""One request to a client, in up to three attempts.

Belongs here: the order of breaker, ledger, slip, call, cache and settlement in an attempt, and when there is another. Does not:
which texts are asked for, or what is done where it fails for good (`service`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import psycopg
import stamina

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetRefused, Kind, Order, Purpose
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import cache, claims, redactions
from tvdb_pipeline.embedding.breaker import Breaker, Permit
from tvdb_pipeline.embedding.client import Embedded, EmbeddingClient, Exchange
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.requests import Wanted, shares_of
from tvdb_pipeline.embedding.slips import Label, Slip, Slips
from tvdb_pipeline.waypoints import passed

MAX_ATTEMPTS: Final = 3
_QUERY_PATIENCE_SECONDS = 2.0
_KEEP_TRIES, _KEEP_WAIT_SECONDS = 3, 1.0
# What a retry has to say goes into the ledger; stamina's own log would go to stdout, between the lines of an answer.
stamina.instrumentation.set_on_retry_hooks([])


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. first_wait: longest wait before the second attempt, doubled for the third; longest: of any wait in a process.

    A provider that asks for more than the longest is not waited for: the documents are deferred until then.
    """

    first_wait: float = 0.5
    longest: float = 20.0


@dataclass(slots=True)
class Attempts:
    """Makes attempts with one client. owner: whose claim the texts are under."""

    client: EmbeddingClient
    ledger: Ledger
    breaker: Breaker
    database: Database
    slips: Slips
    patience: Patience

    def make(
        self, request: Sequence[Wanted], purpose: Purpose, owner: str, kind: Kind = "first",
        renew: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        """Get the vectors of these texts into the cache and their bill into the ledger, in one transaction.

        renew: called before each attempt, to extend the claim on the texts. Raises BudgetRefused, ProviderError, or
        ReservationLapsed.
        """
        longest = min(self.patience.longest, _QUERY_PATIENCE_SECONDS) if purpose == "query" else self.patience.longest
        backoff = _Backoff(self.patience.first_wait, longest)
        key = uuid4().hex
        for attempt in stamina.retry_context(on=backoff, attempts=MAX_ATTEMPTS, timeout=None):
            with attempt:
                order = Order(
                    len(request), sum(wanted.tokens for wanted in request), purpose, shares_of(request), key, attempt.num,
                    kind if attempt.num == 1 else "retry",
                )  # fmt: skip
                renew()
                try:
                    self._once(request, order, owner, longest)
                except BudgetRefused as refusal:
                    if refusal.code == "retry_budget" and backoff.last is not None:
                        raise backoff.give_up() from None
                    raise

    def make_free(self, request: Sequence[Wanted], purpose: Purpose) -> None:
        """The same with a client that costs nothing: no limit, no breaker, one attempt."""
        order = Order(len(request), sum(wanted.tokens for wanted in request), purpose, shares_of(request))
        number = self.ledger.record_free(self.client.model, order)
        try:
            answer = self.client.embed([wanted.text for wanted in request])
        except BaseException:
            self.ledger.charge_unknown(number)
            raise
        self._keep(request, number, "", answer, order.tokens)

    def _once(self, request: Sequence[Wanted], order: Order, owner: str, longest: float) -> None:
        permit = self.breaker.permit()
        passed("breaker.permitted")
        try:
            self._rest(permit, longest)
            number = self.ledger.reserve(self.client.model, order)
            send_by = time.monotonic() + self.ledger.lengths.send_within
            redactions.note(self.database, number, request)
            self.ledger.mark_sent(number)
        except BaseException:
            self.breaker.abandoned(permit)
            raise
        hashes = [wanted.sha256 for wanted in request]
        slip = self.slips.open(Label(order.key, order.attempt, self.client.model, owner, hashes))
        passed("slip.opened")
        answer = self._ask(request, order, number, permit, slip, send_by)
        try:
            self._keep(request, number, owner, answer, answer.tokens)
        except BaseException:
            slip.leave()
            raise
        slip.drop()
        passed("slip.dropped")
        self.breaker.succeeded(permit)
        self.breaker.rest(answer.rest_seconds)
        passed("breaker.told")

    def _ask(
        self, request: Sequence[Wanted], order: Order, number: int, permit: Permit, slip: Slip, send_by: float
    ) -> Embedded:
        """The call itself; where it fails, the reservation is ended and the breaker told."""

        def keep(piece: bytes) -> None:
            slip.write(piece)
            passed("provider.answering")

        try:
            passed("provider.asked")
            answer = self.client.embed(
                [wanted.text for wanted in request], Exchange(f"{order.key}-{order.attempt}", keep, send_by)
            )
        except ProviderError as error:
            passed("provider.refused")
            slip.drop()
            if error.billed == "no":
                self.ledger.release(number, reached=error.reached)
            else:
                self.ledger.charge_unknown(number)
            passed("ledger.released")
            self.breaker.failed(permit, error)
            self.breaker.rest(error.retry_after or 0.0)
            raise
        except BaseException:
            # A fault of ours, or an interrupt: the request may be on its way, and its answer may be whole on the slip.
            slip.leave()
            self.ledger.charge_unknown(number)
            self.breaker.abandoned(permit)
            raise
        passed("provider.answered")
        return answer

    def _keep(self, request: Sequence[Wanted], number: int, owner: str, answer: Embedded, tokens: int) -> None:
        """Vectors, bill and the end of the claims in one transaction; tried again where the database restarts just now."""
        hashes = [wanted.sha256 for wanted in request]
        for attempt in stamina.retry_context(
            on=psycopg.OperationalError, attempts=_KEEP_TRIES, wait_initial=_KEEP_WAIT_SECONDS, timeout=None
        ):
            with attempt, self.database.connection() as conn:
                cache.put(conn, self.client.model, hashes, answer.vectors)
                claims.fulfil(conn, owner, hashes)
                self.ledger.settle(conn, number, self.client.model, tokens)
        passed("cache.kept")

    def _rest(self, permit: Permit, longest: float) -> None:
        if permit.rest_seconds > longest:
            raise ProviderError("resting", retry_at=datetime.now(UTC) + timedelta(seconds=permit.rest_seconds))
        if permit.rest_seconds:
            time.sleep(permit.rest_seconds + random.uniform(0, self.patience.first_wait))


class _Backoff:
    """Says after each failure how long to wait: full jitter, never less than the provider asks for; or that it is over."""

    def __init__(self, first_wait: float, longest: float) -> None:
        self._first_wait, self._longest = first_wait, longest
        self._failures = 0
        self._over = False
        self.last: ProviderError | None = None

    def __call__(self, error: Exception) -> bool | float:
        if self._over or not isinstance(error, ProviderError) or not error.failure.again:
            return False
        self.last = error
        asked = error.retry_after or 0.0
        if asked > self._longest:
            error.retry_at = datetime.now(UTC) + timedelta(seconds=asked)
            return False
        self._failures += 1
        return asked + random.uniform(0, min(self._longest, self._first_wait * 2 ** (self._failures - 1)))

    def give_up(self) -> ProviderError:
        """The last failure, which now stands."""
        assert self.last is not None
        self._over = True
        return self.last
