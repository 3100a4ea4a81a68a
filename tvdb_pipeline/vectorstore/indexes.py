"""One HNSW index for each embedding model.

Belongs here: what stands in it, and creating it. Does not: rows, or the queries (`nearest`).
Partial indexes keep models apart: a search names its model, so the graph it walks holds vectors of that model only. What stands
in the graph is smaller than the vectors; which rows are nearest is then decided by the vectors themselves.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from psycopg import sql

from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.embedding.models import DIMENSIONS, is_mock

Kind = Literal["signs", "halfvec"]
"""`signs`: the column of that name, by Hamming distance. `halfvec`: the vectors at half precision, by cosine distance."""
ORDERS: dict[Kind, sql.Composed] = {
    "signs": sql.SQL("signs <~> binary_quantize(%(vector)s)::bit({size})").format(size=sql.Literal(DIMENSIONS)),
    "halfvec": sql.SQL("embedding::halfvec({size}) <=> %(vector)s::halfvec({size})").format(
        size=sql.Literal(DIMENSIONS)
    ),
}
"""How a query with a parameter `vector` is ordered to be answered from the index; by nothing else is it."""
COLUMNS: dict[Kind, sql.Composed] = {
    "signs": sql.SQL("signs bit_hamming_ops").format(),
    "halfvec": sql.SQL("(embedding::halfvec({})) halfvec_cosine_ops").format(sql.Literal(DIMENSIONS)),
}
"""What is indexed, and by which distance."""
GRAPHS: dict[Kind, sql.SQL] = {
    "signs": sql.SQL("m = 16, ef_construction = 100"),
    "halfvec": sql.SQL("m = 16, ef_construction = 200"),
}
"""Links of a row, and the candidates they are chosen from. pgvector's default of 64 candidates chooses links so ill among many
alike passages that a walk misses twice as many of the nearest (`make search-scale`)."""
_LOCK = 0x686E7377  # "hnsw": two creators of the same index would deadlock
_BYTES_A_ROW: dict[Kind, int] = {"signs": 1100, "halfvec": 4300}  # of a graph being built: what is indexed, its links
_MOST_MEMORY_MB = 2000


def kind_of_index(model: str) -> Kind:
    """What stands in the index over vectors of `model`.

    Text models spread what they say over all components, so their signs tell near from far (M. S. Charikar, "Similarity
    estimation techniques from rounding algorithms", STOC 2002). The mock's are zero nearly everywhere, and theirs tell nothing.
    """
    return "halfvec" if is_mock(model) else "signs"


def order_by(model: str) -> sql.Composed:
    """What of ORDERS fits the index over vectors of `model`."""
    return ORDERS[kind_of_index(model)]


def ensure_index(database: Database, model: str) -> str:
    """Create the index for vectors of `model` if it is missing; its name.

    Building over many rows takes minutes, and writers of rows wait for it; readers do not.
    """
    name, kind = index_name(model), kind_of_index(model)
    if not database.fetch("SELECT to_regclass(%s) IS NOT NULL", (f"tvdb.{name}",))[0][0]:
        with database.connection() as conn:
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            _make_room(conn, model)
            conn.execute(
                sql.SQL(
                    "CREATE INDEX IF NOT EXISTS {name} ON tvdb.vector_rows USING hnsw ({column}) WITH ({graph})"
                    " WHERE embedding_model = {model}"
                ).format(name=sql.Identifier(name), column=COLUMNS[kind], graph=GRAPHS[kind], model=sql.Literal(model))
            )
    return name


def index_name(model: str) -> str:
    """The name of the index over vectors of `model`."""
    slug = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")[:32]
    return f"vector_rows_{kind_of_index(model)}_{slug}_{hashlib.sha256(model.encode()).hexdigest()[:6]}"


def _make_room(conn: Connection, model: str) -> None:
    """Memory for the whole graph, as one that outgrows it is built many times slower.

    By one process: parallel ones would take it from /dev/shm, which in a container may be far too small.
    """
    rows = conn.execute("SELECT count(*) FROM tvdb.vector_rows WHERE embedding_model = %s", (model,)).fetchone()
    assert rows is not None
    wanted = min(rows[0] * _BYTES_A_ROW[kind_of_index(model)] // 1024**2, _MOST_MEMORY_MB)
    conn.execute("SET LOCAL max_parallel_maintenance_workers = 0")
    conn.execute(
        """SELECT set_config('maintenance_work_mem', %s || 'MB', true)
           WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < %s * 1024 * 1024::bigint""",
        (str(wanted), wanted),
    )
