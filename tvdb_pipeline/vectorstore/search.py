"""Search: one ranked list for each model present, one from full text, fused by rank.

Belongs here: the fusion, which documents are searched, and the passages. Does not: the lists (`nearest`, `wording`), or embedding
the query (the caller passes what vectors it could get).
Scores of different models are never compared, only ranks are; a query vector meets rows of its own model alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.vectorstore.nearest import Row, nearest, scope_of
from tvdb_pipeline.vectorstore.wording import worded

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


def documents_within(database: Database, place: str) -> list[str]:
    """Keys of the documents that lie at or under `place`, or the one whose key it is.

    place: a key, or an identity (`documents.identity`) of a file or folder; `.` is the upload folder. A message's attachments lie
    under it. Nothing lies at an empty one.
    """
    if not place:
        return []
    rows = database.fetch(
        """SELECT key FROM tvdb.documents WHERE key = %(place)s OR path = %(place)s OR starts_with(path, %(place)s || '/')
               OR starts_with(path, %(place)s || '!/') OR (%(place)s = '.' AND NOT starts_with(path, '/'))""",
        {"place": place.rstrip("/")},
    )
    return [row[0] for row in rows]


def search(
    database: Database,
    query: str,
    vectors: Mapping[str, Vectors],
    k: int,
    *,
    mode: Mode,
    within: Collection[str] | None = None,
) -> list[Passage]:
    """The best `k` passages. vectors: model -> query vector, shape (1536,); those of other models never meet it.

    within: keys of the only documents to search.
    """
    depth = max(_DEPTH, k)
    with database.connection() as conn:
        scope = None if within is None else scope_of(conn, list(within))
        lists: list[list[tuple[Row, float]]] = []
        unjudged: set[Row] = set()
        if mode != "lexical":
            lists += [nearest(conn, model, vector, depth, scope) for model, vector in vectors.items()]
        if mode != "vector":
            found = worded(conn, query, depth, scope)
            unjudged = {row for row, _, model in found if model not in vectors}
            lists.append([(row, score) for row, score, _ in found])
        scores = dict(lists[0]) if len(lists) == 1 else fuse([[row for row, _ in ranked] for ranked in lists], unjudged)
        best = sorted(scores, key=lambda row: (-scores[row], row))[:k]
        return _passages(conn, best, scores)


def fuse(lists: Sequence[Sequence[Row]], unjudged: Collection[Row] = ()) -> dict[Row, float]:
    """Reciprocal rank fusion of ranked lists.

    unjudged: rows no vector of the query could be compared with (they have none, or their provider is down). They can stand
    in the list of full text only, so its word counts for both: that a row was not judged is not held against it.
    """
    scores: dict[Row, float] = defaultdict(float)
    for ranked in lists:
        for rank, row in enumerate(ranked, 1):
            scores[row] += (2 if row in unjudged else 1) / (RRF_K + rank)
    return scores


def _passages(conn: Connection, best: Sequence[Row], scores: Mapping[Row, float]) -> list[Passage]:
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
