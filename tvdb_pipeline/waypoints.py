"""Named points between the steps of the work: where a process may be killed and nothing may be lost.

Belongs here: the names and telling a listener that one was passed. Does not: what the listener does. Nobody listens in
production; the tests that kill a process at each point do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

WAYPOINTS: Final[tuple[str, ...]] = (
    "plan.registered",
    "plan.made",
    "claims.taken",
    "walk.recovered",
    "walk.begun",
    "raw_file.copied",
    "raw_file.kept",
    "parsed_text.parsed",
    "parsed_text.kept",
    "chunks.cut",
    "chunks.kept",
    "buying.known",
    "buying.packed",
    "texts.claiming",
    "texts.claimed",
    "breaker.permitted",
    "ledger.locked",
    "ledger.slot_taken",
    "ledger.dollars_taken",
    "ledger.reserved_uncommitted",
    "ledger.reserved",
    "ledger.sent_uncommitted",
    "ledger.sent",
    "slip.opened",
    "provider.asked",
    "provider.answering",
    "provider.answered",
    "cache.put_uncommitted",
    "ledger.settled_uncommitted",
    "cache.kept",
    "slip.dropped",
    "breaker.told",
    "provider.refused",
    "ledger.released",
    "bisection.halved",
    "refused.noted",
    "fallback.made",
    "embeddings.judged",
    "index.made",
    "rows.copied",
    "rows.deleted",
    "rows.inserted_uncommitted",
    "rows.state_uncommitted",
    "rows.swapped",
    "artifacts.dropped",
    "defer.rows_uncommitted",
    "defer.kept",
    "refuse.kept",
    "claims.released",
    "removal.rows_uncommitted",
    "removal.marked",
    "removal.done",
)

_listener: Callable[[str], None] | None = None


def listen(listener: Callable[[str], None] | None) -> None:
    """Have this process tell `listener` the name of every point it passes; None: nobody."""
    global _listener
    _listener = listener


def passed(name: str) -> None:
    """Say that a point was passed. Costs a comparison where nobody listens."""
    if _listener is not None:
        _listener(name)
