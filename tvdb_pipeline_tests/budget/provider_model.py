"""What must be in the ledger, in plain Python: every attempt as its owner, the provider and the clock saw it.

Belongs here: the rules of the budget without SQL, to hold the ledger against. Does not: driving it (`test_ledger_machine`).
Times are whole seconds; `shown` is what the clock of all processes shows, which may lag behind the true `time` by a little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, overload

from tvdb_pipeline.budget.orders import Limits, Order
from tvdb_pipeline.budget.prices import price
from tvdb_pipeline_tests.budget.bookkeeping import HELD, MIDNIGHT, REQUESTS, SENT

DAY = 86_400
LAG = 3
"""How far behind the clock may be, in seconds."""
BEGIN = DAY - 3 * REQUESTS
"""Three hours to midnight."""


@overload
def moment(second: int) -> datetime: ...
@overload
def moment(second: int | None) -> datetime | None: ...
def moment(second: int | None) -> datetime | None:
    """A second of the model as a moment: the first midnight lies a day from zero."""
    return None if second is None else MIDNIGHT + timedelta(seconds=second - DAY)


@dataclass(eq=False)
class Attempt:
    """One reservation. lease, slot_until: seconds, None where it has none; billed: what the provider bills, in tokens."""

    order: Order
    model: str
    number: int
    day: int
    lease: int | None
    hourly_limit: int
    state: Literal["held", "sent", "settled", "released", "charged_unknown"] = "held"
    slot_until: int | None = None
    booked_tokens: int = 0
    send_until: int = 0
    arrived_at: int | None = None
    given_up: bool = False
    billed: int = 0
    answered: bool = False

    @property
    def reserved(self) -> int:
        return self.order.tokens * price(self.model)

    @property
    def booked(self) -> int:
        """Nano-dollars the ledger has for it."""
        return self.booked_tokens * price(self.model)

    @property
    def bill(self) -> int:
        """Nano-dollars the provider has for it."""
        return self.billed * price(self.model)

    @property
    def takes_slot(self) -> bool:
        return self.lease is not None or self.slot_until is not None

    @property
    def open(self) -> bool:
        return self.state in ("held", "sent")

    def part_of(self, document: str) -> tuple[int, int]:
        """Nano-dollars of it a document bears: by its tokens at least, and at most."""
        if self.state == "released":
            return (0, 0)
        rate, tokens = price(self.model), self.order.shares[document].tokens
        theirs = tokens * self.booked_tokens // self.order.tokens
        if self.booked_tokens in (0, self.order.tokens):
            return (theirs * rate, theirs * rate)
        return (min(tokens, theirs) * rate, max(tokens, theirs + 1) * rate)


@dataclass
class Model:
    """All attempts so far, and the limits in force."""

    limits: Limits
    time: int = BEGIN
    lag: int = 0
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    day_limits: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def shown(self) -> int:
        return self.time - self.lag

    @property
    def day(self) -> int:
        return self.shown // DAY

    def tidy(self) -> None:
        """What is due by the clock has happened."""
        for attempt in self.attempts:
            if attempt.lease is not None and attempt.lease <= self.shown:
                if attempt.state == "held":
                    self._end(attempt, "released", 0, None)
                else:
                    self._end(attempt, "charged_unknown", attempt.booked_tokens, attempt.lease + REQUESTS)
            if attempt.slot_until is not None and attempt.slot_until <= self.shown:
                attempt.slot_until = None

    def violated(self, model: str, order: Order, *, surely: bool) -> set[str]:
        """The codes of the limits this order would cross now, after `tidy`; surely: see `over_document_limit`."""
        cost, limits, codes = order.tokens * price(model), self.limits, set[str]()
        taking = [attempt for attempt in self.attempts if attempt.takes_slot]
        retries = sum(attempt.order.kind == "retry" for attempt in taking)
        if len(taking) + 1 > limits.hourly_requests:
            codes.add("hour_limit")
        share = limits.retry_share * (len(taking) + 1)
        if order.kind == "retry" and retries + 1 > max(limits.retry_floor, share):
            codes.add("retry_budget")
        if self.spent(self.day) + self.held(self.day) + cost > limits.daily_nano:
            codes.add("day_limit")
        if self.over_document_limit(model, order, surely=surely):
            codes.add("document_limit")
        return codes

    def over_document_limit(self, model: str, order: Order, *, surely: bool) -> set[str]:
        """Documents over their limit.

        Where the provider counted other tokens than we did, a document's part of the bill is known up to rounding only, and
        whether it counts by our tokens or by the provider's is told in `test_limits`. surely: by either; else by one of them.
        """
        over = set[str]()
        for key, share in order.shares.items():
            parts = [each.part_of(key) for each in self.attempts if key in each.order.shares]
            booked = sum((min if surely else max)(part) for part in parts)
            if booked + share.tokens * price(model) > self.limits.document_nano:
                over.add(key)
        return over

    def admit(self, model: str, order: Order, number: int) -> Attempt:
        attempt = Attempt(order, model, number, self.day, self.shown + HELD, self.limits.hourly_requests)
        attempt.booked_tokens = order.tokens
        self.attempts.append(attempt)
        self.day_limits[self.day] = max(self.limits.daily_nano, self.day_limits.get(self.day, 0))
        return attempt

    def may_send(self, attempt: Attempt) -> bool:
        return attempt.state == "held" and attempt.lease is not None and attempt.lease > self.shown

    def send(self, attempt: Attempt) -> None:
        attempt.state, attempt.lease = "sent", self.shown + SENT
        attempt.send_until = self.shown + SENT

    def may_arrive(self, attempt: Attempt) -> bool:
        """A request leaves once, within its lease, and not after its owner said that it did not."""
        return attempt.arrived_at is None and not attempt.given_up and self.shown < attempt.send_until

    def settle(self, attempt: Attempt, tokens: int) -> None:
        if attempt.state == "sent":
            self._end(attempt, "settled", tokens, self.shown + REQUESTS)
        elif attempt.state == "charged_unknown":
            self._end(attempt, "settled", tokens, attempt.slot_until)

    def release(self, attempt: Attempt, *, reached: bool) -> None:
        if attempt.open:
            self._end(attempt, "released", 0, self.shown + (REQUESTS if reached else 0))

    def charge(self, attempt: Attempt) -> None:
        if attempt.open and attempt.lease is not None:
            until = max(attempt.lease, self.shown) + REQUESTS
            self._end(attempt, "charged_unknown", attempt.booked_tokens, until)

    def spent(self, day: int) -> int:
        return sum(each.booked for each in self.attempts if each.day == day and not each.open)

    def held(self, day: int) -> int:
        return sum(each.booked for each in self.attempts if each.day == day and each.open)

    def overrun(self, day: int) -> int:
        """What answers that were booked said beyond their reservation."""
        ended = [each for each in self.attempts if each.day == day and each.state == "settled"]
        return sum(max(0, each.booked - each.reserved) for each in ended)

    def opens(self) -> int | None:
        """When the next slot frees if nothing more is heard; the ends of leases count for those that are under way."""
        times = [each.slot_until or (each.lease or 0) + REQUESTS for each in self.attempts if each.takes_slot]
        return min(times, default=None)

    def deadlines(self) -> list[int]:
        """The seconds to come at which a lease runs out or a slot frees."""
        times = [time for each in self.attempts for time in (each.lease, each.slot_until)]
        return sorted(time for time in times if time is not None and time > self.shown)

    def _end(
        self, attempt: Attempt, state: Literal["settled", "released", "charged_unknown"], tokens: int, slot: int | None
    ) -> None:
        attempt.state, attempt.booked_tokens, attempt.lease, attempt.slot_until = state, tokens, None, slot
