"""One HNSW index for each embedding model.

Belongs here: creating them. Does not: rows. Partial indexes keep models apart: a search names its model, so the graph it
walks holds vectors of that model only.
"""

from __future__ import annotations

import hashlib
import re

from psycopg import sql

from tvdb_pipeline.database.pools import Database

_LOCK = 0x686E7377  # "hnsw": two creators of the same index would deadlock


def ensure_index(database: Database, model: str) -> str:
    """Create the HNSW index (cosine distance) for vectors of `model` if it is missing; its name."""
    slug = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")[:32]
    name = f"vector_rows_hnsw_{slug}_{hashlib.sha256(model.encode()).hexdigest()[:6]}"
    if database.fetch("SELECT to_regclass(%s)", (f"tvdb.{name}",)) != [(None,)]:
        return name
    with database.connection() as conn:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        conn.execute(
            sql.SQL(
                "CREATE INDEX IF NOT EXISTS {name} ON tvdb.vector_rows USING hnsw (embedding vector_cosine_ops)"
                " WHERE embedding_model = {model}"
            ).format(name=sql.Identifier(name), model=sql.Literal(model))
        )
    return name
