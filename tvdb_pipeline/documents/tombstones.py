"""What is left of erased documents: their keys.

Belongs here: the table of tombstones, what is still to be done for each, and the texts whose vectors wait to be forgotten. Does
not: erasing (`ingest.removal`), or the lists outside the database (`erasure_lists`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from tvdb_pipeline.database.pools import Connection, Database

Reason = Literal["command", "vanished"]
"""command: somebody asked for it; vanished: its file is gone, or its message no longer holds it."""


class Erasure(NamedTuple):
    """One document, when it was erased last, and why."""

    key: str
    erased_at: datetime
    reason: Reason


class LeftFile(NamedTuple):
    """Size in bytes and modification time in nanoseconds of a file that was left lying."""

    bytes: int
    mtime_ns: int


def add(conn: Connection, keys: Collection[str], reason: Reason, left: Mapping[str, LeftFile]) -> None:
    """Raise a tombstone for each of these documents that is not erased yet, before its row is emptied.

    left: files of theirs that are still there, by key.
    """
    names = list(left)
    conn.execute(
        """INSERT INTO tvdb.tombstones (document_key, reason, file_bytes, file_mtime_ns)
           SELECT d.key, %(reason)s, g.bytes, g.mtime_ns FROM tvdb.documents d
           LEFT JOIN unnest(%(names)s::text[], %(bytes)s::bigint[], %(times)s::bigint[]) AS g (key, bytes, mtime_ns) USING (key)
           WHERE d.key = ANY(%(keys)s) AND d.state <> 'deleted'
           ON CONFLICT (document_key) DO UPDATE SET erased_at = excluded.erased_at, reason = excluded.reason,
               vectors_forgotten_at = NULL, events_forgotten_at = NULL, file_bytes = excluded.file_bytes,
               file_mtime_ns = excluded.file_mtime_ns""",
        {
            "keys": list(keys), "reason": reason, "names": names, "bytes": [left[name].bytes for name in names],
            "times": [left[name].mtime_ns for name in names],
        },
    )  # fmt: skip


def take_in(conn: Connection, erasures: Iterable[Erasure]) -> None:
    """Add what a list outside the database knows and the table does not; nothing is left to be done for these."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO tvdb.tombstones (document_key, erased_at, reason, vectors_forgotten_at, events_forgotten_at)
               VALUES (%s, %s, %s, now(), now()) ON CONFLICT DO NOTHING""",
            erasures,
        )


def everything(conn: Connection) -> list[Erasure]:
    """All of them, oldest first."""
    rows = conn.execute("SELECT document_key, erased_at, reason FROM tvdb.tombstones ORDER BY erased_at, document_key")
    return [Erasure(*row) for row in rows]


def registered_before(database: Database, erasures: Collection[Erasure]) -> dict[str, Reason]:
    """Of these, documents that are there and were registered before they were erased: why each was; in order of registration."""
    found = database.fetch(
        """SELECT d.key, g.reason FROM tvdb.documents d
           JOIN unnest(%s::text[], %s::timestamptz[], %s::text[]) AS g (key, erased_at, reason) USING (key)
           WHERE d.state <> 'deleted' AND d.registered_at < g.erased_at ORDER BY d.registered_at, d.key""",
        [list(column) for column in zip(*erasures, strict=True)] if erasures else [[], [], []],
    )
    return {row[0]: row[1] for row in found}


def hold_texts(conn: Connection, keys: Sequence[str]) -> None:
    """Have the texts of documents just erased wait to be forgotten; they are no document's any longer."""
    conn.execute(
        """INSERT INTO tvdb.texts_to_forget SELECT document_key, text_sha256 FROM tvdb.document_texts
           WHERE document_key = ANY(%s) ON CONFLICT DO NOTHING""",
        (list(keys),),
    )
    conn.execute("DELETE FROM tvdb.document_texts WHERE document_key = ANY(%s)", (list(keys),))


def hold_late_texts(conn: Connection) -> None:
    """The same for texts noted after their document was erased, by a walk that did not know of it yet."""
    found = conn.execute(
        """SELECT key FROM tvdb.documents d WHERE state = 'deleted' AND updated_at > now() - interval '2 days'
           AND EXISTS (SELECT FROM tvdb.document_texts t WHERE t.document_key = d.key)"""
    ).fetchall()
    if keys := [row[0] for row in found]:
        hold_texts(conn, keys)
        conn.execute("UPDATE tvdb.tombstones SET vectors_forgotten_at = NULL WHERE document_key = ANY(%s)", (keys,))


def vectors_due(database: Database, longest: float) -> list[str]:
    """Keys whose texts may be forgotten: all documents known when they went have come to rest, or `longest` seconds passed."""
    found = database.fetch(
        """SELECT t.document_key FROM tvdb.tombstones t
           WHERE t.vectors_forgotten_at IS NULL AND (t.erased_at < now() - make_interval(secs => %s) OR NOT EXISTS (
               SELECT FROM tvdb.documents d WHERE d.state IN ('registered', 'processing') AND d.registered_at <= t.erased_at))
           ORDER BY 1""",
        (longest,),
    )
    return [row[0] for row in found]


def events_due(database: Database) -> dict[str, datetime | None]:
    """Keys Dagster may have events of yet; of one that is registered anew, since when: what is newer is not of the erased one."""
    found = database.fetch(
        """SELECT t.document_key, CASE WHEN d.state <> 'deleted' THEN d.registered_at END FROM tvdb.tombstones t
           LEFT JOIN tvdb.documents d ON d.key = t.document_key WHERE t.events_forgotten_at IS NULL ORDER BY 1"""
    )
    return {row[0]: row[1] for row in found}


def events_forgotten(database: Database, keys: Collection[str]) -> None:
    """Note that Dagster has none any more."""
    database.run("UPDATE tvdb.tombstones SET events_forgotten_at = now() WHERE document_key = ANY(%s)", (list(keys),))


def left_files(database: Database) -> dict[str, LeftFile]:
    """Files that were there when their documents were erased, of documents that are not registered anew, by key."""
    found = database.fetch(
        """SELECT t.document_key, t.file_bytes, t.file_mtime_ns FROM tvdb.tombstones t
           JOIN tvdb.documents d ON d.key = t.document_key WHERE t.file_bytes IS NOT NULL AND d.state = 'deleted'"""
    )
    return {key: LeftFile(size, mtime_ns) for key, size, mtime_ns in found}


def forget_files(database: Database, keys: Collection[str]) -> None:
    """They went or changed: whatever comes under their name is a document like any other."""
    database.run(
        "UPDATE tvdb.tombstones SET file_bytes = NULL, file_mtime_ns = NULL WHERE document_key = ANY(%s)", (list(keys),)
    )
