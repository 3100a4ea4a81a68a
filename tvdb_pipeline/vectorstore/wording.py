"""The ranked list of full text: rows that hold words of the query.

Belongs here: which rows are ranked, and their rank. Does not: vectors (`nearest`), or fusion (`search`).

Any of the words may match: a question holds words its answer does not. Ranking a row takes microseconds, and in a large table a
question's everyday words stand in most rows. So there the rare words choose the rows, with the common ones all together, and
every word counts in the rank of a row that is chosen. How common a word is, the server's statistics say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.vectorstore.nearest import Row, Scope

RANKED_ROWS = 1500
"""About so many rows are ranked at most."""
_Found = list[tuple[Row, float, str | None]]


def worded(conn: Connection, query: str, depth: int, scope: Scope | None) -> _Found:
    """The best `depth` rows: row, rank, and the model of its vector (None without one)."""
    frequent = _words(conn, query)
    words = [_quoted(word) for word in frequent]
    if scope is not None and scope.few:
        return _ranked_few(conn, words, depth, scope)
    rare, common = _split(frequent)
    if not common:
        return _ranked(conn, words, words, depth, scope, None)
    together = [f"({' & '.join(map(_quoted, common))})"]
    found = _ranked(conn, words, [*map(_quoted, rare), *together], depth, scope, 2 * RANKED_ROWS)
    if len(found) == depth:
        return found
    # A word most rows hold says little of which row is meant: some of those that hold the rarest of them will do.
    more = _ranked(conn, words, [_quoted(common[0])], depth, scope, RANKED_ROWS)
    return sorted({entry[0]: entry for entry in more + found}.values(), key=lambda e: (-e[1], e[0]))[:depth]


def _words(conn: Connection, query: str) -> dict[str, float]:
    """The words of a query as they are indexed, and in how many rows each stands.

    0 for one the statistics do not name, and for all in a table of which every row can be ranked.
    """
    rows = conn.execute(
        """WITH named AS (
               SELECT word, share
               FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) AS known (word, share)
               WHERE schemaname = 'tvdb' AND tablename = 'vector_rows' AND attname = 'search_text' AND word IS NOT NULL)
           SELECT word, CASE WHEN reltuples > %s THEN coalesce(share, 0) * reltuples ELSE 0 END
           FROM unnest(tsvector_to_array(to_tsvector('english', %s))) AS asked (word) LEFT JOIN named USING (word),
                pg_class WHERE pg_class.oid = 'tvdb.vector_rows'::regclass""",
        (RANKED_ROWS, query),
    )
    return {word: float(count) for word, count in rows}


def _split(frequent: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Rare words, which together stand in RANKED_ROWS rows at most, and common ones; both from the rarest on."""
    rare: list[str] = []
    common: list[str] = []
    total = 0.0
    for word in sorted(frequent, key=lambda word: (frequent[word], word)):
        total += frequent[word]
        (rare if total <= RANKED_ROWS else common).append(word)
    return rare, common


def _ranked(
    conn: Connection, words: Sequence[str], choosing: Sequence[str], depth: int, scope: Scope | None, most: int | None
) -> _Found:
    """Rows that match one of `choosing`, `most` of them at most, ranked by all words."""
    rows = conn.execute(
        f"""SELECT document_key, chunk_index, ts_rank(search_text, %s::tsquery, 1) AS score, embedding_model
            FROM (SELECT document_key, chunk_index, search_text, embedding_model FROM tvdb.vector_rows
                  WHERE search_text @@ %s::tsquery {"AND document_key = ANY(%s)" if scope else ""} LIMIT %s) AS chosen
            ORDER BY score DESC, 1, 2 LIMIT %s""",
        (" | ".join(words), " | ".join(choosing), *([list(scope.keys)] if scope else []), most, depth),
    )
    return [((key, index), float(score), model) for key, index, score, model in rows]


def _ranked_few(conn: Connection, words: Sequence[str], depth: int, scope: Scope) -> _Found:
    """The rows of few documents, ranked without the index of words: its lists of everyday words are longer than they are."""
    rows = conn.execute(
        """SELECT document_key, chunk_index, ts_rank(search_text, asked, 1) AS score, embedding_model
           FROM (SELECT document_key, chunk_index, search_text, embedding_model, %s::tsquery AS asked FROM tvdb.vector_rows
                 WHERE document_key = ANY(%s) OFFSET 0) AS few
           WHERE search_text @@ asked ORDER BY score DESC, 1, 2 LIMIT %s""",
        (" | ".join(words), list(scope.keys), depth),
    )
    return [((key, index), float(score), model) for key, index, score, model in rows]


def _quoted(word: str) -> str:
    doubled = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
