"""What may be spent: set, above zero, and in force.

Belongs here: the three limits, and whether the ledger holds to them. Does not: what was spent (`tvdb budget`).
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tvdb_pipeline.budget.orders import BudgetRefused, Order
from tvdb_pipeline.budget.prices import dollars, price
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.ingest.workshop import build_ledger
from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.operations.readiness.state import at_head
from tvdb_pipeline.settings import Settings

_AREA = "limits"


def rows(settings: Settings, url: str) -> Iterator[Finding]:
    """Each limit, then the ledger."""
    day, document, hour = settings.daily_limit_nano, settings.document_limit_nano, settings.hourly_request_limit
    yield Finding(_AREA, "day", day > 0, f"${dollars(day):.2f} (TVDB_DAILY_COST_LIMIT_USD)")
    yield Finding(_AREA, "hour", hour > 0, f"{hour} requests (TVDB_HOURLY_REQUEST_LIMIT)")
    fits = 0 < document <= day
    evidence = f"${dollars(document):.2f} (TVDB_DOCUMENT_COST_LIMIT_USD)"
    yield Finding(_AREA, "document", fits, evidence if fits else f"{evidence}: above zero, at most the day's, wanted")
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as conn:
        if not at_head(conn):
            missing = "there is no ledger before the schema is complete"
            development = settings.env == "development"
            yield not_needed(_AREA, "ledger", missing) if development else Finding(_AREA, "ledger", False, missing)
            return
        yield _in_use(settings, conn)
    yield _refusing(settings, url)


def _in_use(settings: Settings, conn: psycopg.Connection[tuple[object, ...]]) -> Finding:
    """A server that was not started again after a change goes on with the limits it knew: the windows tell under which limits
    the latest request of this day and hour was admitted."""
    found = conn.execute(
        """SELECT 'day', capacity_nano, %(day)s::bigint FROM tvdb.dollar_windows
           WHERE starts = to_timestamp(floor(extract(epoch FROM now()) / %(length)s) * %(length)s)
           UNION ALL SELECT 'hour', capacity, %(hour)s::bigint FROM tvdb.request_window
           WHERE EXISTS (SELECT FROM tvdb.requests WHERE paid AND (lease_until IS NOT NULL OR slot_until > now()))""",
        {
            "day": settings.daily_limit_nano,
            "hour": settings.hourly_request_limit,
            "length": settings.cost_window_seconds,
        },
    ).fetchall()
    other = [f"the {name}'s" for name, theirs, ours in found if theirs != ours]
    if other:
        evidence = f"another limit than {' and '.join(other)} admitted the latest request"
        return Finding(_AREA, "in use", False, f"{evidence}: restart what runs; it is so until the next request")
    return Finding(_AREA, "in use", True, "the latest requests were admitted under these" if found else "none used yet")


def _refusing(settings: Settings, url: str) -> Finding:
    """A reservation of one token more than the day has is asked for; the ledger must refuse it. Nothing is sent."""
    tokens = settings.daily_limit_nano // max(1, price(settings.embedding_model)) + 1
    database = Database(url, size=2).open()
    try:
        ledger = build_ledger(settings, database)
        try:
            number = ledger.reserve(settings.embedding_model, Order(1, tokens, "query"))
        except BudgetRefused as refused:
            return Finding(_AREA, "ledger", True, f"refuses a token more than the day's limit ({refused.code})")
        ledger.release(number)
        return Finding(_AREA, "ledger", False, "admitted more than the day's limit")
    finally:
        database.close()
