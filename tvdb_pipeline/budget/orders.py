"""What the ledger is asked and what it answers.

Belongs here: the records and the refusal. Does not: booking anything.
All amounts are nano-dollars (see `prices`), all times are aware datetimes, all durations seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import uuid4

from tvdb_pipeline.errors import TvdbError

Purpose = Literal["documents", "query"]
Kind = Literal["first", "retry", "bisection"]


class BudgetRefused(TvdbError):
    """A limit would be crossed: nothing was sent.

    Codes `hour_limit`, `day_limit`, `document_limit`, `retry_budget`. retry_at: when there will be room, as far as that is
    known; documents: those over their own limit, for `document_limit`; tokens_left: what still fits into the day, for
    `day_limit`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retry_at: datetime | None = None,
        documents: Sequence[str] = (),
        tokens_left: int = 0,
    ) -> None:
        super().__init__(code, message, kind="budget", retryable=True, retry_at=retry_at)
        self.documents = tuple(documents)
        self.tokens_left = tokens_left


class ReservationLapsed(TvdbError):
    """The lease of a reservation ran out before the request was sent; it must not be sent any more."""

    def __init__(self) -> None:
        super().__init__(
            "reservation_lapsed",
            "The reservation ran out before the request was sent; it is tried again.",
            retryable=True,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """daily_nano and document_nano in nano-dollars; hourly_requests in HTTP attempts.

    Of the attempts in the window, `retry_share` may be retries, but always `retry_floor`.
    """

    daily_nano: int
    hourly_requests: int
    document_nano: int
    retry_share: float = 0.1
    retry_floor: int = 5


@dataclass(frozen=True, slots=True)
class Windows:
    """How long things last, in seconds.

    requests: a slot of the request window stays taken so long after its attempt ended; dollars: a dollar window, counted
    from the epoch (86,400: UTC days); held_lease: from a reservation to its sending; sent_lease: from sending to the answer;
    send_within: what of it may pass before the request really leaves, the rest being enough for the longest answer.
    """

    requests: float
    dollars: float
    held_lease: float
    sent_lease: float
    send_within: float


@dataclass(frozen=True, slots=True)
class Share:
    """What one document has in a request."""

    texts: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt about to be made: how many inputs and tokens it carries, and for which documents.

    key and attempt name it: reserving the same attempt again, because the answer to the first was lost, gives the same
    reservation.
    """

    inputs: int
    tokens: int
    purpose: Purpose
    shares: Mapping[str, Share] = field(default_factory=dict[str, Share])
    key: str = field(default_factory=lambda: uuid4().hex)
    attempt: int = 1
    kind: Kind = "first"


@dataclass(frozen=True, slots=True)
class BudgetState:
    """spent: settled or charged after an unknown outcome, today; held: reserved or under way; both nano-dollars.

    requests: slots of the request window in use, `retries` of them by retries; opens_at: when the next slot frees.
    """

    spent_nano: int
    held_nano: int
    requests: int
    retries: int
    opens_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sums:
    """texts and requests sent, nano-dollars booked."""

    texts: int
    requests: int
    cost_nano: int
