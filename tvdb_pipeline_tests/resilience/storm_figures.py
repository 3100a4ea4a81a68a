"""What a storm ended with: the provider's log against our ledger, line by line.

Belongs here: the comparison, and which promises it shows broken. Does not: the storm.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tvdb_pipeline.budget.orders import Limits
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline_tests.fake_openai.charges import NANO_DOLLARS_A_TOKEN, Entry, busiest

_BOOKED = ("settled", "charged_unknown")


@dataclass
class Figures:
    """What a phase ended with. The provider's figures come from its own log, the ledger's from its tables."""

    attempts: int
    admitted: int
    kills: int
    seconds: float
    server_tokens: int
    ledger_tokens: int
    worst_window_use: float
    busiest: int
    window_requests: int
    over_dollar_limit: int
    below_bill: int
    unmatched: int
    stuck: int
    unknown: int


def compare(
    database: Database,
    entries: list[Entry],
    limits: Limits,
    window_seconds: float,
    *,
    attempts: int,
    kills: int,
    seconds: float,
) -> Figures:
    """Compare the provider's entries with the ledger of a database in which everything has come to rest."""
    rows = database.fetch(
        "SELECT request_key || '-' || attempt, state, tokens, cost_nano, extract(epoch FROM day_starts) FROM tvdb.requests"
    )
    ledger = {name: (state, tokens, cost, day) for name, state, tokens, cost, day in rows}
    charged = {entry.request_id: entry.tokens for entry in entries if entry.charged}
    billed_of, spent_of = defaultdict[float, int](int), defaultdict[float, int](int)
    for name, tokens in charged.items():
        billed_of[ledger[name][3] if name in ledger else -1.0] += tokens * NANO_DOLLARS_A_TOKEN
    for state, _, cost, day in ledger.values():
        spent_of[day] += cost if state in _BOOKED else 0
    return Figures(
        attempts=attempts,
        admitted=len(rows),
        kills=kills,
        seconds=seconds,
        server_tokens=sum(charged.values()),
        ledger_tokens=sum(tokens for state, tokens, _, _ in ledger.values() if state in _BOOKED),
        worst_window_use=max(spent_of.values(), default=0) / limits.daily_nano,
        busiest=busiest((entry.arrived for entry in entries), window_seconds),
        window_requests=limits.hourly_requests,
        over_dollar_limit=sum(1 for bill in billed_of.values() if bill > limits.daily_nano),
        below_bill=sum(1 for day, bill in billed_of.items() if spent_of[day] < bill),
        unmatched=_unmatched(charged, ledger),
        stuck=_stuck(database),
        unknown=sum(1 for row in ledger.values() if row[0] == "charged_unknown"),
    )


def _unmatched(charged: dict[str, int], ledger: dict[str, tuple[str, int, int, float]]) -> int:
    """Charges without a booked reservation of the same tokens, and settled reservations without a charge."""
    wrong = 0
    for name, tokens in charged.items():
        state, booked, _, _ = ledger.get(name, ("", 0, 0, 0.0))
        wrong += state not in _BOOKED or booked != tokens
    return wrong + sum(1 for name, row in ledger.items() if row[0] == "settled" and name not in charged)


def _stuck(database: Database) -> int:
    return database.fetch(
        """SELECT (SELECT count(*) FROM tvdb.requests WHERE state IN ('held', 'sent'))
                  + (SELECT count(*) FROM tvdb.dollar_windows WHERE held_nano <> 0)"""
    )[0][0]


def faults_of(figures: Figures, *, kills: bool) -> list[str]:
    """The promises that were broken, in words; empty if all hold."""
    broken = {
        "more requests in a rolling window than the limit": figures.busiest > figures.window_requests,
        "a dollar window billed over its limit": figures.over_dollar_limit > 0,
        "the ledger below the bill": figures.below_bill > 0,
        "a charge without its reservation, or the reverse": figures.unmatched > 0,
        "reservations stuck after two leases": figures.stuck > 0,
    }
    if not kills:
        broken["ledger and bill differ"] = figures.ledger_tokens != figures.server_tokens
        broken["less than 99% of the limit used"] = figures.worst_window_use < 0.99
    return [words for words, is_broken in broken.items() if is_broken]
