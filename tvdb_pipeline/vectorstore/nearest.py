"""The ranked list of one model: the rows whose vectors are nearest to the query's.

Belongs here: walking the index, and reading few rows without it. Does not: full text (`wording`), or fusion (`search`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.vectorstore.indexes import Kind, kind_of_index, order_by

Row = tuple[str, int]
"""Document key and chunk index."""
FEW_ROWS = 4000
"""Up to so many rows of the documents searched are all compared: sooner done than a walk that skips most it meets."""
_MOST_EF_SEARCH = 1000  # pgvector takes no more


@dataclass(frozen=True, slots=True)
class _Look:
    """How far a search looks: rows the walk keeps in view; rows ranked by whole vectors, at least, in all and for each answer.

    Recall grows with each, and so does time (`make search-scale`). scope: those when a scope is compared; None: all.
    """

    ef_search: int
    ranked: int
    times: int
    scope: int | None


_LOOKS: dict[Kind, _Look] = {
    # Signs are a rough measure, and rougher among rows that are all far from the query, as in a narrow scope.
    "signs": _Look(ef_search=600, ranked=300, times=4, scope=800),
    # Half precision moves a row a few places at most.
    "halfvec": _Look(ef_search=400, ranked=100, times=2, scope=None),
}


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
        return _compared(conn, model, vector, depth, scope)
    found = _walk(conn, model, vector, depth, scope)
    return found if scope is None or len(found) == depth else _compared(conn, model, vector, depth, scope)


def _walk(conn: Connection, model: str, vector: Vectors, depth: int, scope: Scope | None) -> list[tuple[Row, float]]:
    """Candidates in the order of the index, ranked by their vectors at full precision."""
    look = _LOOKS[kind_of_index(model)]
    candidates = max(look.ranked, look.times * depth)
    # Candidates are ranked again, so they need not come in order: the walk may keep what it meets late. A planner that may not
    # sort takes the index: it does not know that each vector read lies outside its row, and prefers to read thousands. Servers
    # before 18 express that as an enormous cost, which must not have them compile the query.
    conn.execute(
        """SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('enable_sort', 'off', true),
                  set_config('jit', 'off', true), set_config('hnsw.ef_search', %s, true)""",
        (str(min(max(look.ef_search, candidates), _MOST_EF_SEARCH)),),
    )
    # The model stands in the text of the query, not in a parameter, so that the planner can use the partial index.
    query = sql.SQL(
        """SELECT document_key, chunk_index, 1 - (embedding <=> %(vector)s) AS score
           FROM (SELECT document_key, chunk_index, embedding FROM tvdb.vector_rows
                 WHERE embedding_model = {model} AND {within} ORDER BY {order} LIMIT %(candidates)s) AS candidates
           ORDER BY score DESC LIMIT %(depth)s"""
    ).format(
        model=sql.Literal(model),
        within=sql.SQL("true" if scope is None else "document_key = ANY(%(keys)s)"),
        order=order_by(model),
    )
    values = {"vector": vector, "candidates": candidates, "depth": depth, "keys": scope.keys if scope else None}
    return [((key, index), float(score)) for key, index, score in conn.execute(query, values)]


def _compared(conn: Connection, model: str, vector: Vectors, depth: int, scope: Scope) -> list[tuple[Row, float]]:
    """Every row of the scope; by signs first where they tell, for a vector lies outside its row and takes ten times as long."""
    look = _LOOKS[kind_of_index(model)]
    # OFFSET 0 keeps the order out of the inner queries, and with it the index. Vectors are compared outside of the query that
    # picks the few: within it, all of the scope would be compared before any is picked. Each is read once.
    query = sql.SQL(
        """SELECT document_key, chunk_index, 1 - distance
           FROM (SELECT document_key, chunk_index, embedding <=> %(vector)s AS distance
                 FROM (SELECT document_key, chunk_index, embedding
                       FROM (SELECT document_key, chunk_index, embedding, {order} AS apart FROM tvdb.vector_rows
                             WHERE document_key = ANY(%(keys)s) AND embedding_model = %(model)s OFFSET 0) AS scope
                       ORDER BY apart LIMIT %(ranked)s OFFSET 0) AS picked OFFSET 0) AS compared
           ORDER BY distance LIMIT %(depth)s"""
    ).format(order=order_by(model) if look.scope else sql.SQL("0"))
    ranked = max(look.scope, look.times * depth) if look.scope else None
    values = {"vector": vector, "keys": list(scope.keys), "model": model, "ranked": ranked, "depth": depth}
    return [((key, index), float(score)) for key, index, score in conn.execute(query, values)]
