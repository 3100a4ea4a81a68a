"""Documents that came attached to another: which belong to which, and keeping that in step with the message.

Belongs here: rows of tvdb.documents with a parent. Does not: reading messages, or their files (`artifacts`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tvdb_pipeline.database.pools import Connection, Database

DEEPEST = 3
"""Levels of messages in messages whose attachments are taken in."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """new: keys that are to be read, in the order of the message; gone: keys the message holds no longer; replaced: content
    hashes that stood for an attachment before."""

    new: list[str]
    gone: list[str]
    replaced: list[str]


def adopt(conn: Connection, parent_key: str, files: Sequence[tuple[str, str, str]]) -> Adoption:
    """Register the attachments of a message as (key, path, content hash), all of them; what that changed.

    An attachment whose content is the same stays as it is. Those gone are only named: removing them is the caller's. Nothing is
    attached to a message that was erased while it was read.
    """
    there = "SELECT 1 FROM tvdb.documents WHERE key = %s AND state <> 'deleted' FOR KEY SHARE"
    if conn.execute(there, (parent_key,)).fetchone() is None:
        return Adoption([], [], [])
    before = dict(
        conn.execute(
            "SELECT key, given_sha256 FROM tvdb.documents WHERE parent_key = %s AND state <> 'deleted'", (parent_key,)
        ).fetchall()
    )
    new: list[str] = []
    for key, path, sha256 in files:
        done = conn.execute(
            """INSERT INTO tvdb.documents (key, path, parent_key, given_sha256, registered_at)
               VALUES (%s, %s, %s, %s, clock_timestamp())
               ON CONFLICT (key) DO UPDATE SET state = 'registered', path = excluded.path, parent_key = excluded.parent_key,
                   given_sha256 = excluded.given_sha256, error = NULL, stage = NULL, attempts = 0, next_attempt_at = NULL,
                   updated_at = now(), registered_at = CASE documents.state WHEN 'deleted' THEN excluded.registered_at
                                                                           ELSE documents.registered_at END
               WHERE documents.state = 'deleted' OR documents.given_sha256 IS DISTINCT FROM excluded.given_sha256
               RETURNING key""",
            (key, path, parent_key, sha256),
        ).fetchall()
        new.extend(row[0] for row in done)
    present = {key for key, _, _ in files}
    replaced = [sha256 for key, sha256 in before.items() if key in new and sha256 is not None]
    return Adoption(new, [key for key in before if key not in present], replaced)


def descendants(database: Database, keys: Collection[str]) -> list[str]:
    """Keys of all that is attached to these documents, at any depth, without those deleted; in order of registration."""
    rows = database.fetch(
        """WITH RECURSIVE family AS (
               SELECT key, registered_at FROM tvdb.documents WHERE parent_key = ANY(%(keys)s) AND state <> 'deleted'
               UNION
               SELECT d.key, d.registered_at FROM tvdb.documents d JOIN family f ON d.parent_key = f.key
               WHERE d.state <> 'deleted')
           SELECT key FROM family ORDER BY registered_at, key""",
        {"keys": list(keys)},
    )
    return [row[0] for row in rows]


def depth(database: Database, key: str) -> int:
    """How many messages a document lies in: 0 for a file of its own."""
    rows = database.fetch(
        """WITH RECURSIVE line AS (
               SELECT parent_key FROM tvdb.documents WHERE key = %s
               UNION ALL
               SELECT d.parent_key FROM tvdb.documents d JOIN line l ON d.key = l.parent_key)
           SELECT count(parent_key) FROM line""",
        (key,),
    )
    return rows[0][0]
