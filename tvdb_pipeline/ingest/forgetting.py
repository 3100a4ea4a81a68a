"""Forgetting cached vectors of texts that no document holds any longer.

Belongs here: what the cache keeps of texts of erased documents, and what else is known of them. Does not: rows of documents
(`removal`).

A document somebody deleted is forgotten at once. The texts of one whose file vanished wait, as the file may only have got
another name, until every document that was under way then has come to rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.documents import tombstones
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline.ingest.workshop import Workshop

LONGEST_SECONDS = 86_400.0
"""So long the vectors of a vanished file are kept at most, whatever is under way."""


def forget_due(shop: Workshop) -> None:
    """Forget the texts of vanished documents whose time has come. Claims that lapsed name texts, too."""
    with shop.database.connection() as conn:
        tombstones.hold_late_texts(conn)
    keys = tombstones.vectors_due(shop.database, LONGEST_SECONDS)
    if keys:
        with shop.database.connection() as conn:
            forgotten = forget(conn, keys)
        drop_slips(shop, forgotten)
    shop.database.run("DELETE FROM tvdb.embedding_claims WHERE until < now()")


def forget(conn: Connection, keys: Sequence[str]) -> set[str]:
    """Forget the texts held back for these erased documents, but for those another document holds; hashes of those forgotten."""
    found = conn.execute(
        """SELECT DISTINCT text_sha256 FROM tvdb.texts_to_forget t WHERE document_key = ANY(%s)
           AND NOT EXISTS (SELECT FROM tvdb.document_texts o WHERE o.text_sha256 = t.text_sha256)""",
        (list(keys),),
    ).fetchall()
    hashes = [row[0] for row in found]
    conn.execute("DELETE FROM tvdb.embedding_cache WHERE text_sha256 = ANY(%s)", (hashes,))
    conn.execute("DELETE FROM tvdb.refused_texts WHERE text_sha256 = ANY(%s)", (hashes,))
    conn.execute("DELETE FROM tvdb.embedding_claims WHERE text_sha256 = ANY(%s) AND until < now()", (hashes,))
    conn.execute("DELETE FROM tvdb.texts_to_forget WHERE document_key = ANY(%s)", (list(keys),))
    conn.execute("UPDATE tvdb.tombstones SET vectors_forgotten_at = now() WHERE document_key = ANY(%s)", (list(keys),))
    return set(hashes)


def drop_slips(shop: Workshop, hashes: set[str]) -> None:
    """Remove answers left behind that hold one of these texts' vectors: this database could not take them in."""
    for label, _, slip in Slips(shop.settings.home / "slips").left_behind():
        if not hashes.isdisjoint(label.hashes):
            slip.drop()
