"""One HNSW index for each embedding model, over its vectors at half precision.

Belongs here: creating them, and going over from the index earlier versions made. Does not: rows, or the queries (`nearest`).
Partial indexes keep models apart: a search names its model, so the graph it walks holds vectors of that model only. At half
precision the graph has half the size; which rows are nearest is then decided by the vectors themselves.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from psycopg import sql

from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.embedding.client import DIMENSIONS

Kind = Literal["halfvec", "hnsw"]
"""`halfvec`: the index made now. `hnsw`: over the vectors at full precision, as earlier versions made it."""
HALF = sql.SQL("embedding::halfvec({})").format(sql.Literal(DIMENSIONS))
"""The indexed expression: a query is answered from the index only if it orders by this very one."""
GRAPH = sql.SQL("m = 16, ef_construction = 200")
"""Links of a row, and the candidates they are chosen from. pgvector's default of 64 candidates chooses links so ill among many
alike passages that a walk misses twice as many of the nearest; more links (24, of 300) miss half of those again, but a row then
takes twice as long to store (`make search-scale`, `make batch-study`)."""
_LOCK = 0x686E7377  # "hnsw": two creators of the same index would deadlock
_BYTES_A_ROW = 4300  # of a graph being built: the vector, its links, its place
_MOST_MEMORY_MB = 2000


def ensure_index(database: Database, model: str) -> str:
    """Create the index (cosine distance) for vectors of `model` if it is missing; its name.

    One of the former kind goes once the new one is there, in a transaction of its own: a search has one of them at any time.
    Building over many rows takes minutes, and writers of rows wait for it; readers do not.
    """
    name, former = index_name(model, "halfvec"), index_name(model, "hnsw")
    kinds = _kinds(database, model)
    if "halfvec" not in kinds:
        with database.connection() as conn:
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            _make_room(conn, model)
            conn.execute(
                sql.SQL(
                    "CREATE INDEX IF NOT EXISTS {name} ON tvdb.vector_rows USING hnsw (({half}) halfvec_cosine_ops)"
                    " WITH ({graph}) WHERE embedding_model = {model}"
                ).format(name=sql.Identifier(name), half=HALF, graph=GRAPH, model=sql.Literal(model))
            )
    if "hnsw" in kinds:
        with database.connection() as conn:
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            conn.execute(sql.SQL("DROP INDEX IF EXISTS tvdb.{}").format(sql.Identifier(former)))
    return name


def index_name(model: str, kind: Kind) -> str:
    """The name of the index of this kind over vectors of `model`."""
    slug = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")[:32]
    return f"vector_rows_{kind}_{slug}_{hashlib.sha256(model.encode()).hexdigest()[:6]}"


def kind_of_index(conn: Connection, model: str) -> Kind:
    """Which index a query for `model` is to be written for; the present kind where there is none."""
    row = conn.execute(
        "SELECT to_regclass(%s) IS NULL AND to_regclass(%s) IS NOT NULL",
        (f"tvdb.{index_name(model, 'halfvec')}", f"tvdb.{index_name(model, 'hnsw')}"),
    ).fetchone()
    return "hnsw" if row == (True,) else "halfvec"


def _kinds(database: Database, model: str) -> set[Kind]:
    kinds: tuple[Kind, ...] = ("halfvec", "hnsw")
    rows = database.fetch(
        "SELECT to_regclass(name) IS NOT NULL FROM unnest(%s::text[]) WITH ORDINALITY AS named (name, place) ORDER BY place",
        ([f"tvdb.{index_name(model, kind)}" for kind in kinds],),
    )
    return {kind for kind, row in zip(kinds, rows, strict=True) if row[0]}


def _make_room(conn: Connection, model: str) -> None:
    """Memory for the whole graph, as one that outgrows it is built many times slower.

    By one process: parallel ones would take it from /dev/shm, which in a container may be far too small.
    """
    rows = conn.execute("SELECT count(*) FROM tvdb.vector_rows WHERE embedding_model = %s", (model,)).fetchone()
    assert rows is not None
    wanted = min(rows[0] * _BYTES_A_ROW // 1024**2, _MOST_MEMORY_MB)
    conn.execute("SET LOCAL max_parallel_maintenance_workers = 0")
    conn.execute(
        """SELECT set_config('maintenance_work_mem', %s || 'MB', true)
           WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < %s * 1024 * 1024::bigint""",
        (str(wanted), wanted),
    )
