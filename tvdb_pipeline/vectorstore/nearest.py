"""The ranked list of one model: the rows whose vectors are nearest to the query's.

Belongs here: walking the index, and reading few rows without it. Does not: full text (`wording`), or fusion (`search`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.embedding.client import DIMENSIONS, Vectors
from tvdb_pipeline.vectorstore.indexes import HALF, kind_of_index

Row = tuple[str, int]
"""Document key and chunk index."""
FEW_ROWS = 4000
"""Up to so many rows of the documents searched are all compared: exact, and sooner done than a walk that skips most it meets."""
EF_SEARCH = 400
"""Rows the walk keeps in view: recall grows with it, and so does time (`make search-scale`)."""
_MOST_EF_SEARCH = 2000  # pgvector takes no more


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents a search is confined to, by key; few: they hold FEW_ROWS rows at most."""

    keys: Sequence[str]
    few: bool


def scope_of(conn: Connection, keys: Sequence[str]) -> Scope:
    """Count the rows of these documents, as far as it matters."""
    row = conn.execute(
        "SELECT count(*) FROM (SELECT FROM tvdb.vector_rows WHERE document_key = ANY(%s) LIMIT %s) AS counted",
        (list(keys), FEW_ROWS + 1),
    ).fetchone()
    assert row is not None
    return Scope(list(keys), row[0] <= FEW_ROWS)


def nearest(conn: Connection, model: str, vector: Vectors, depth: int, scope: Scope | None) -> list[tuple[Row, float]]:
    """The `depth` nearest rows of `model` and their cosine similarity, best first.

    A walk that ends short of `depth` met too few rows of the scope, and says nothing of the others: then all are compared.
    """
    if scope is not None and scope.few:
        return _exact(conn, model, vector, depth, scope)
    found = _walk(conn, model, vector, depth, scope)
    return found if scope is None or len(found) == depth else _exact(conn, model, vector, depth, scope)


def _walk(conn: Connection, model: str, vector: Vectors, depth: int, scope: Scope | None) -> list[tuple[Row, float]]:
    """Candidates in the order of the index, ranked by their vectors at full precision."""
    # Half precision moves a row a few places at most; twice the depth is ample, and each vector read takes its time.
    candidates = 2 * depth
    # Candidates are ranked again, so they need not come in order: the walk may keep what it meets late. A planner that may not
    # sort takes the index: it does not know that each vector read lies outside its row, and prefers to read thousands. Servers
    # before 18 express that as an enormous cost, which must not have them compile the query.
    conn.execute(
        """SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('enable_sort', 'off', true),
                  set_config('jit', 'off', true), set_config('hnsw.ef_search', %s, true)""",
        (str(min(max(EF_SEARCH, candidates), _MOST_EF_SEARCH)),),
    )
    halved = kind_of_index(conn, model) == "halfvec"
    # The model stands in the text of the query, not in a parameter, so that the planner can use the partial index.
    query = sql.SQL(
        """SELECT document_key, chunk_index, 1 - (embedding <=> %(vector)s) AS score
           FROM (SELECT document_key, chunk_index, embedding FROM tvdb.vector_rows
                 WHERE embedding_model = {model} AND {within} ORDER BY {order} LIMIT %(candidates)s) AS candidates
           ORDER BY score DESC LIMIT %(depth)s"""
    ).format(
        model=sql.Literal(model),
        within=sql.SQL("true" if scope is None else "document_key = ANY(%(keys)s)"),
        order=sql.SQL("{half} <=> %(vector)s::halfvec({size})").format(half=HALF, size=sql.Literal(DIMENSIONS))
        if halved
        else sql.SQL("embedding <=> %(vector)s"),
    )
    values = {"vector": vector, "candidates": candidates, "depth": depth, "keys": scope.keys if scope else None}
    return [((key, index), float(score)) for key, index, score in conn.execute(query, values)]


def _exact(conn: Connection, model: str, vector: Vectors, depth: int, scope: Scope) -> list[tuple[Row, float]]:
    # OFFSET 0 keeps the order out of the inner query, and with it the index; each vector is read once.
    rows = conn.execute(
        """SELECT document_key, chunk_index, 1 - distance
           FROM (SELECT document_key, chunk_index, embedding <=> %s AS distance FROM tvdb.vector_rows
                 WHERE document_key = ANY(%s) AND embedding_model = %s OFFSET 0) AS compared
           ORDER BY distance LIMIT %s""",
        (vector, list(scope.keys), model, depth),
    )
    return [((key, index), float(score)) for key, index, score in rows]
