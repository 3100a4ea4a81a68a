"""The whole story of one document, in order: what `tvdb status KEY` tells.

Belongs here: putting together what the journal, the ledger and the alerts know of a key. Does not: writing any of it.
One id, the document's key, stands in all of them: claims name the Dagster run they were made in, shares of a request the
key, and `request` is the id the provider was given with that very call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tvdb_pipeline.budget.bills import shares
from tvdb_pipeline.budget.prices import dollars
from tvdb_pipeline.database.pools import Database


def story(database: Database, key: str) -> list[dict[str, Any]]:
    """One object an event, oldest first: `at` (ISO 8601), `what`, and what there is to it.

    what: `registered`; `claimed` (run_id); `state` (state, stage, code, run_id, seconds, next_attempt_at); `request` (request,
    kind, model, state, and of this document texts, tokens, cost_usd); `alert` and `recovery` (name, severity).
    """
    events = [*_journal(database, key), *_requests(database, key), *_alerts(database, key)]
    return sorted(events, key=lambda event: datetime.fromisoformat(event["at"]))


def _journal(database: Database, key: str) -> list[dict[str, Any]]:
    rows = database.fetch(
        """SELECT at, event, state, stage, code, run_id, next_attempt_at, seconds FROM tvdb.journal
           WHERE document_key = %s ORDER BY id""",
        (key,),
    )
    found: list[dict[str, Any]] = []
    for at, event, state, stage, code, run_id, next_attempt_at, seconds in rows:
        entry: dict[str, Any] = {"at": at.isoformat(), "what": event}
        if event == "claimed":
            entry["run_id"] = run_id
        elif event == "state":
            entry |= {"state": state, "stage": stage, "code": code, "run_id": run_id, "seconds": seconds}
            entry["next_attempt_at"] = next_attempt_at.isoformat() if next_attempt_at else None
        found.append(entry)
    return found


def _requests(database: Database, key: str) -> list[dict[str, Any]]:
    return [
        {
            "at": share.started_at.isoformat(),
            "what": "request",
            "request": f"{share.request_key}-{share.attempt}",
            "kind": share.kind,
            "model": share.model,
            "state": share.state,
            "texts": share.texts,
            "tokens": share.tokens,
            "cost_usd": dollars(share.cost_nano),
        }
        for share in shares(database, key)
    ]


def _alerts(database: Database, key: str) -> list[dict[str, Any]]:
    rows = database.fetch(
        "SELECT since, resolved_at, name, severity, mark IS NOT NULL FROM tvdb.alerts WHERE subject = %s ORDER BY since",
        (key,),
    )
    found: list[dict[str, Any]] = []
    for since, resolved_at, name, severity, once in rows:
        found.append({"at": since.isoformat(), "what": "alert", "name": name, "severity": severity})
        # What happened once was over with it.
        if resolved_at is not None and not once:
            found.append({"at": resolved_at.isoformat(), "what": "recovery", "name": name, "severity": severity})
    return found
