"""Texts a model refuses by themselves.

Belongs here: that table. Does not: finding them (`bisection`). A text that was refused alone is not paid for, or searched for,
again.
"""

from __future__ import annotations

from collections.abc import Collection

from tvdb_pipeline.database.pools import Connection, Database


def known(database: Database, model: str, hashes: Collection[str]) -> set[str]:
    """Those of the text hashes that this model refuses."""
    rows = database.fetch(
        "SELECT text_sha256 FROM tvdb.refused_texts WHERE model = %s AND text_sha256 = ANY(%s)", (model, list(hashes))
    )
    return {row[0] for row in rows}


def note(conn: Connection, model: str, hashes: Collection[str]) -> None:
    """Remember that this model refuses these texts."""
    conn.execute(
        "INSERT INTO tvdb.refused_texts (model, text_sha256) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
        (model, list(hashes)),
    )
