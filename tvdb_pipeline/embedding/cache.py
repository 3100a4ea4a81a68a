"""Every vector ever made, by what it was made from: (sha256 of the text, model, dimensions).

Belongs here: that table. Does not: which document a text stands in; texts of all documents share their vectors.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.embedding.models import DIMENSIONS
from tvdb_pipeline.waypoints import passed


def known(database: Database, model: str, hashes: Collection[str]) -> set[str]:
    """Those of the text hashes (64 hex digits) that have a vector of this model."""
    rows = database.fetch(
        "SELECT text_sha256 FROM tvdb.embedding_cache WHERE model = %s AND dimensions = %s AND text_sha256 = ANY(%s)",
        (model, DIMENSIONS, list(hashes)),
    )
    return {row[0] for row in rows}


def get(database: Database, model: str, text_hash: str) -> Vectors | None:
    """One vector, shape (1536,), or None."""
    rows = database.fetch(
        "SELECT embedding FROM tvdb.embedding_cache WHERE model = %s AND dimensions = %s AND text_sha256 = %s",
        (model, DIMENSIONS, text_hash),
    )
    return np.asarray(rows[0][0].to_numpy(), dtype=np.float32) if rows else None


def put(conn: Connection, model: str, hashes: Sequence[str], vectors: Vectors) -> None:
    """Keep vectors, shape (len(hashes), 1536), by binary COPY; one that is there already stays."""
    conn.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_vectors (text_sha256 text, embedding vector) ON COMMIT DELETE ROWS"
    )
    with conn.cursor() as cursor, cursor.copy("COPY incoming_vectors FROM STDIN WITH (FORMAT BINARY)") as copy:
        copy.set_types(["text", "vector"])
        for text_hash, vector in zip(hashes, vectors, strict=True):
            copy.write_row((text_hash, vector))
    conn.execute(
        """INSERT INTO tvdb.embedding_cache (text_sha256, model, dimensions, embedding)
           SELECT DISTINCT ON (text_sha256) text_sha256, %s, %s, embedding FROM incoming_vectors ON CONFLICT DO NOTHING""",
        (model, DIMENSIONS),
    )
    conn.execute("TRUNCATE incoming_vectors")
    passed("cache.put_uncommitted")
