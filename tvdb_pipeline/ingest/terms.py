"""The terms work is done under, put on record when they differ from those recorded last.

Belongs here: which settings these are, and comparing. Does not: keeping to them (`budget`, `embedding`). A process looks once for
each set of terms it works under, not at every document: two with different limits, side by side, are each on record once.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tvdb_pipeline.database.audit_trail import Action, Connection, add
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.settings import Settings

_OTHER: Mapping[str, Action] = {
    "TVDB_PROVIDER_AGREEMENT": "agreement_changed",
    "TVDB_REDACT_BEFORE_EMBEDDING": "redaction_changed",
}
_known: dict[str, dict[str, str | None]] = {}
"""What this process has compared already, by the address of the database."""


def put_on_record(settings: Settings, database: Database) -> None:
    """Add an entry for each setting whose value is not the one recorded last: its name, and the value before and after.

    A role that may not add entries may not spend either: its terms are in force nowhere, and it is let by.
    """
    terms = _terms(settings)
    if _known.get(database.url) == terms:
        return
    with database.connection() as conn:
        if _changed(conn, terms) and _may_add(conn):
            # Others may be recording the same change: what is left of it, once nobody else can.
            conn.execute("SELECT tvdb.lock_audit()")
            for name, before in _changed(conn, terms).items():
                figures = {"setting": name, "before": before, "after": terms[name]}
                add(conn, _OTHER.get(name, "limit_changed"), figures)
    _known[database.url] = terms


def _terms(settings: Settings) -> dict[str, str | None]:
    """Values by the names the environment gives them."""
    return {
        "TVDB_DAILY_COST_LIMIT_USD": _number(settings.daily_cost_limit_usd),
        "TVDB_HOURLY_REQUEST_LIMIT": str(settings.hourly_request_limit),
        "TVDB_DOCUMENT_COST_LIMIT_USD": _number(settings.document_cost_limit_usd),
        "TVDB_COST_WINDOW_SECONDS": _number(settings.cost_window_seconds),
        "TVDB_REQUEST_WINDOW_SECONDS": _number(settings.request_window_seconds),
        "TVDB_PROVIDER_AGREEMENT": settings.provider_agreement,
        "TVDB_REDACT_BEFORE_EMBEDDING": str(settings.redact_before_embedding).lower(),
    }


def _number(value: Decimal | float) -> str:
    """5, however it was written: 5.00 is no other limit."""
    return f"{Decimal(str(value)).normalize():f}"


def _changed(conn: Connection, terms: Mapping[str, str | None]) -> dict[str, str | None]:
    """Names of those that differ, with the value recorded last."""
    recorded: dict[str, str | None] = dict(
        conn.execute(
            """SELECT DISTINCT ON (figures ->> 'setting') figures ->> 'setting', figures ->> 'after' FROM tvdb.audit
               WHERE action IN ('limit_changed', 'agreement_changed', 'redaction_changed')
               ORDER BY figures ->> 'setting', id DESC"""
        ).fetchall()
    )
    return {name: recorded.get(name) for name, value in terms.items() if recorded.get(name) != value}


def _may_add(conn: Connection) -> bool:
    return conn.execute("SELECT has_table_privilege('tvdb.audit', 'INSERT')").fetchone() == (True,)
