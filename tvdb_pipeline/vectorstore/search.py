"""Search: one ranked list for each model present, one from full text, fused by rank.

Belongs here: the queries and the fusion. Does not: embedding the query (the caller passes what vectors it could get).
Scores of different models are never compared, only ranks are; a query vector meets rows of its own model alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.embedding.client import Vectors

Mode = Literal["vector", "fused", "lexical"]
RRF_K = 60
"""Reciprocal rank fusion: a list gives 1 / (60 + rank); 60 is the constant of Cormack, Clarke and Buettcher, SIGIR 2009."""
_DEPTH = 50  # how far down each list goes before fusion


@dataclass(frozen=True, slots=True)
class Passage:
    """One answer. page: first page of the passage, 1-based; score: cosine similarity in mode `vector`, else the fused score.

    embedding_model: the model of the row's vector, None for a row found without one.
    """

    key: str
    path: str
    page: int
    text: str
    score: float
    embedding_model: str | None


_Row = tuple[str, int]


def models_present(database: Database) -> list[str]:
    """The models that have vectors in the table."""
    rows = database.fetch(
        # A loose index scan: its cost grows with the number of models, not of rows.
        """WITH RECURSIVE present AS (
               (SELECT embedding_model AS model FROM tvdb.vector_rows WHERE embedding_model IS NOT NULL ORDER BY 1 LIMIT 1)
               UNION ALL
               SELECT (SELECT embedding_model FROM tvdb.vector_rows r WHERE r.embedding_model > present.model ORDER BY 1 LIMIT 1)
               FROM present WHERE present.model IS NOT NULL)
           SELECT model FROM present WHERE model IS NOT NULL"""
    )
    return [row[0] for row in rows]


def search(database: Database, query: str, vectors: Mapping[str, Vectors], k: int, *, mode: Mode) -> list[Passage]:
    """The best `k` passages. vectors: model -> query vector, shape (1536,); those of other models never meet it."""
    with database.connection() as conn:
        conn.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        conn.execute(sql.SQL("SET LOCAL hnsw.ef_search = {}").format(max(_DEPTH, min(k, 1000))))
        lists: list[list[tuple[_Row, float]]] = []
        unjudged: set[_Row] = set()
        if mode != "lexical":
            lists += [_nearest(conn, model, vector, max(_DEPTH, k)) for model, vector in vectors.items()]
        if mode != "vector":
            found = _lexical(conn, query, max(_DEPTH, k))
            unjudged = {row for row, _, model in found if model not in vectors}
            lists.append([(row, score) for row, score, _ in found])
        scores = dict(lists[0]) if len(lists) == 1 else fuse([[row for row, _ in ranked] for ranked in lists], unjudged)
        best = sorted(scores, key=lambda row: (-scores[row], row))[:k]
        return _passages(conn, best, scores)


def fuse(lists: Sequence[Sequence[_Row]], unjudged: Collection[_Row] = ()) -> dict[_Row, float]:
    """Reciprocal rank fusion of ranked lists.

    unjudged: rows no vector of the query could be compared with (they have none, or their provider is down). They can stand
    in the list of full text only, so its word counts for both: that a row was not judged is not held against it.
    """
    scores: dict[_Row, float] = defaultdict(float)
    for ranked in lists:
        for rank, row in enumerate(ranked, 1):
            scores[row] += (2 if row in unjudged else 1) / (RRF_K + rank)
    return scores


def _nearest(conn: Connection, model: str, vector: Vectors, depth: int) -> list[tuple[_Row, float]]:
    # The model stands in the text of the query, not in a parameter, so that the planner can use the partial index.
    query = sql.SQL(
        "SELECT document_key, chunk_index, 1 - (embedding <=> %s) FROM tvdb.vector_rows"
        " WHERE embedding_model = {} ORDER BY embedding <=> %s LIMIT %s"
    ).format(sql.Literal(model))
    return [((key, index), float(score)) for key, index, score in conn.execute(query, (vector, vector, depth))]


def _lexical(conn: Connection, query: str, depth: int) -> list[tuple[_Row, float, str | None]]:
    # Any of the words may match: a question holds words its answer does not. Rank decides how many do.
    rows = conn.execute(
        """WITH q AS (SELECT replace(plainto_tsquery('english', %s)::text, ' & ', ' | ')::tsquery AS query)
           SELECT document_key, chunk_index, ts_rank(search_text, q.query, 1) AS score, embedding_model
           FROM tvdb.vector_rows, q WHERE search_text @@ q.query ORDER BY score DESC, 1, 2 LIMIT %s""",
        (query, depth),
    )
    return [((key, index), float(score), model) for key, index, score, model in rows]


def _passages(conn: Connection, best: Sequence[_Row], scores: Mapping[_Row, float]) -> list[Passage]:
    rows = conn.execute(
        """SELECT r.document_key, r.chunk_index, d.path, r.page_start, r.text, r.embedding_model
           FROM unnest(%s::text[], %s::int[]) AS wanted (key, index)
           JOIN tvdb.vector_rows r ON r.document_key = wanted.key AND r.chunk_index = wanted.index
           JOIN tvdb.documents d ON d.key = r.document_key""",
        ([key for key, _ in best], [index for _, index in best]),
    ).fetchall()
    found = {(key, index): (path, page, text, model) for key, index, path, page, text, model in rows}
    return [
        Passage(row[0], found[row][0], found[row][1], found[row][2], scores[row], found[row][3])
        for row in best
        if row in found
    ]
