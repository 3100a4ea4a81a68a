"""Reading the audit record, and verifying that nobody has rewritten it.

Belongs here: entries as `tvdb audit` shows them, and recomputing their chain outside the database. Does not: adding any
(`database.audit_trail`, and the triggers of sql/0014_audit.sql).

Each entry's hash covers the hash before, so that a changed or missing entry does not fit. Whoever may switch the triggers off may
also compute a whole chain anew: that shows only against an id and hash that were written down elsewhere (`Anchor`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tvdb_pipeline.database.pools import Connection, Database

_TRIGGERS = {
    "audit_chained": "tvdb.audit", "audit_kept": "tvdb.audit", "audit_registered": "tvdb.documents",
    "audit_changed": "tvdb.documents", "audit_erased": "tvdb.documents", "audit_safekeeping": "tvdb.safekeeping",
    "audit_migrated": "tvdb.schema_migrations",
}  # fmt: skip
_MOST_NAMED = 20


class Anchor(NamedTuple):
    """An entry as it once was: its id, and its hash in hexadecimal digits."""

    id: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of the chain.

    entries: how many; last: the newest; broken: ids whose hash does not fit, or before which an id is missing, the first 20;
    off: triggers that are missing or switched off; anchored: whether the anchor given is where it was, None without one.
    """

    entries: int
    last: Anchor | None
    broken: list[int] = field(default_factory=list[int])
    off: list[str] = field(default_factory=list[str])
    anchored: bool | None = None

    @property
    def passed(self) -> bool:
        """Whether all of it is as it should be."""
        return self.last is not None and not self.broken and not self.off and self.anchored is not False


def entries(
    database: Database,
    since: datetime | None = None,
    action: str | None = None,
    key: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The newest `limit` entries (0: all) from `since` on, oldest of them first.

    Each is `{"id", "at" (ISO 8601), "actor", "role", "process", "action", "subject", "run_id", "figures"}`. key: those about this
    document, and the searches that showed it.
    """
    rows = database.fetch(
        """SELECT id, at, actor, role, process, action, subject, run_id, figures FROM tvdb.audit
           WHERE (%(since)s::timestamptz IS NULL OR at >= %(since)s) AND (%(action)s::text IS NULL OR action = %(action)s)
             AND (%(key)s::text IS NULL OR subject = %(key)s
                  OR action = 'searched' AND figures -> 'documents' ? %(key)s)
           ORDER BY id DESC LIMIT nullif(%(limit)s, 0)""",
        {"since": since, "action": action, "key": key, "limit": limit},
    )
    names = ("id", "at", "actor", "role", "process", "action", "subject", "run_id", "figures")
    return [dict(zip(names, row, strict=True)) | {"at": row[1].astimezone(UTC).isoformat()} for row in reversed(rows)]


def verify(database: Database, anchor: Anchor | None = None) -> Verified:
    """Recompute every hash from what the entries say, and look whether the triggers are in force."""
    count, last, broken = 0, Anchor(0, ""), list[int]()
    anchored = None if anchor is None else False
    with database.connection() as conn:
        off = _off(conn)
        for number, said, kept in _rows(conn):
            fits = hashlib.sha256(bytes.fromhex(last.hash) + said.encode()).digest() == kept
            if (not fits or number != last.id + 1) and len(broken) < _MOST_NAMED:
                broken.append(number)
            # Going on from what is kept: each place is named, not all that follows the first.
            count, last = count + 1, Anchor(number, kept.hex())
            anchored = True if anchored is not None and last == anchor else anchored
    return Verified(count, last if count else None, broken, off, anchored)


def _rows(conn: Connection) -> Iterator[tuple[int, str, bytes]]:
    """Id, the text its hash covers, and its hash, of every entry in order; read a few thousand at a time."""
    with conn.cursor(name="audit") as cursor:
        cursor.itersize = 5000
        cursor.execute(
            """SELECT id, jsonb_build_array(id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), actor, role,
                   process, action, subject, run_id, figures)::text, hash FROM tvdb.audit ORDER BY id"""
        )
        yield from cursor


def _off(conn: Connection) -> list[str]:
    rows = conn.execute(
        """SELECT t.tgname, n.nspname || '.' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'tvdb' AND t.tgenabled IN ('O', 'A')"""
    ).fetchall()
    on = dict(rows)
    return [name for name, table in _TRIGGERS.items() if on.get(name) != table]
