"""One HNSW index for each embedding model.

Belongs here: what stands in it, and having it made (sql/0016_making_indexes.sql). Does not: rows, or the queries (`nearest`).
Partial indexes keep models apart: a search names its model, so the graph it walks holds vectors of that model only. What stands
in the graph is smaller than the vectors; which rows are nearest is then decided by the vectors themselves.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from psycopg import sql

from tvdb_pipeline.database.pools import Database
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
"""What is indexed, and by which distance; the database's function that makes indexes says the same."""
GRAPHS: dict[Kind, sql.SQL] = {
    "signs": sql.SQL("m = 16, ef_construction = 100"),
    "halfvec": sql.SQL("m = 16, ef_construction = 200"),
}
"""Links of a row, and the candidates they are chosen from. pgvector's default of 64 candidates chooses links so ill among many
alike passages that a walk misses twice as many of the nearest (`make search-scale`)."""


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

    Building over many rows takes minutes, and writers of rows wait for it; readers do not. The database's own function makes it:
    whoever stores rows need not own their table.
    """
    name = index_name(model)
    if not database.fetch("SELECT to_regclass(%s) IS NOT NULL", (f"tvdb.{name}",))[0][0]:
        database.fetch("SELECT tvdb.make_vector_index(%s)", (model,))
    return name


def index_name(model: str) -> str:
    """The name of the index over vectors of `model`."""
    slug = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")[:32]
    return f"vector_rows_{kind_of_index(model)}_{slug}_{hashlib.sha256(model.encode()).hexdigest()[:6]}"
