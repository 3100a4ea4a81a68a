"""Rows of a document: replaced all at once.

Belongs here: the swap, its check, and removal. Does not: searching (`search`) or indexes (`indexes`).
Text and provenance go by binary COPY into a staging table; vectors are joined in from the embedding cache inside the
server, so that they cross the wire once in their life. One transaction swaps: readers see the old or the new document.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.embedding.models import DIMENSIONS
from tvdb_pipeline.embedding.requests import Bought
from tvdb_pipeline.waypoints import passed

_UNIT_TOLERANCE = 1e-3  # float32 rounding over 1536 components stays below a tenth of this


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What the check `vector_rows/rows_match_chunks` compares: rows stored, those with a vector, those provisional.

    refused: chunks that are to have no vector, because the provider refuses their text.
    """

    chunks: int
    rows: int
    vectors: int
    provisional: int
    refused: int = 0

    @property
    def passed(self) -> bool:
        """Each chunk has its row, and each row its vector, but for those refused."""
        return self.rows == self.chunks == self.vectors + self.refused


ALIKE_FROM = 5
"""So many different texts with one vector are a fault. Fewer may be right: pages that hold one word over and over."""


@dataclass(frozen=True, slots=True)
class VectorReport:
    """What the check `embeddings/vectors_well_formed` looks at: texts, vectors found, how far norms are from 1, variety.

    pgvector itself refuses components that are not finite and, in a column of fixed size, other dimensions.
    """

    texts: int
    vectors: int
    least_norm: float
    most_norm: float
    distinct: int

    @property
    def passed(self) -> bool:
        """Every text has a vector, all of unit length, and not all alike."""
        unit = abs(self.least_norm - 1) <= _UNIT_TOLERANCE and abs(self.most_norm - 1) <= _UNIT_TOLERANCE
        return self.vectors == self.texts and unit and (self.distinct > 1 or self.texts < ALIKE_FROM)


def swap(
    conn: Connection, key: str, chunks: Sequence[Chunk], bought: Mapping[str, Bought], refused: Collection[str] = ()
) -> RowsReport:
    """Replace the rows of `key` by these chunks; the caller's transaction must hold the document's claim.

    bought: text hash -> whose vector to take from the cache. A text without one gets a NULL embedding and is found by full
    text only; refused: hashes of those it is right for.
    """
    conn.execute(
        """CREATE TEMPORARY TABLE IF NOT EXISTS incoming_rows
           (chunk_index int4, text text, page_start int4, page_end int4, section text[], tokens int4, text_sha256 text,
            embedding_model text, provisional bool) ON COMMIT DELETE ROWS"""
    )
    with conn.cursor() as cursor, cursor.copy("COPY incoming_rows FROM STDIN WITH (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "text", "int4", "int4", "text[]", "int4", "text", "text", "bool"])
        for piece in chunks:
            got = bought.get(piece.sha256)
            copy.write_row(
                (piece.index, piece.text, piece.page_start, piece.page_end, list(piece.section), piece.tokens, piece.sha256,
                 got.model if got else None, bool(got and got.provisional))
            )  # fmt: skip
    passed("rows.copied")
    remember_texts(conn, key, chunks)
    conn.execute("DELETE FROM tvdb.vector_rows WHERE document_key = %s", (key,))
    passed("rows.deleted")
    conn.execute(
        """INSERT INTO tvdb.vector_rows (document_key, chunk_index, text, page_start, page_end, section, tokens, embedding,
               embedding_model, provisional, text_sha256, search_text)
           SELECT %s, r.chunk_index, r.text, r.page_start, r.page_end, r.section, r.tokens, c.embedding, c.model,
               r.provisional AND c.model IS NOT NULL, r.text_sha256,
               to_tsvector('english', array_to_string(r.section, ' ') || ' ' || r.text)
           FROM incoming_rows r LEFT JOIN tvdb.embedding_cache c
               ON c.model = r.embedding_model AND c.dimensions = %s AND c.text_sha256 = r.text_sha256""",
        (key, DIMENSIONS),
    )
    conn.execute("TRUNCATE incoming_rows")
    passed("rows.inserted_uncommitted")
    return report(conn, key, len(chunks), sum(1 for piece in chunks if piece.sha256 in refused))


def remember_texts(conn: Connection, key: str, chunks: Sequence[Chunk]) -> None:
    """Note which texts the document holds, also those it will hold no longer after the next version."""
    conn.execute(
        "INSERT INTO tvdb.document_texts SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
        (key, list({piece.sha256 for piece in chunks})),
    )


def report(conn: Connection, key: str, chunks: int, refused: int = 0) -> RowsReport:
    """Count what is stored for `key` against the number of its chunks and of those refused."""
    row = conn.execute(
        "SELECT count(*), count(embedding), count(*) FILTER (WHERE provisional) FROM tvdb.vector_rows WHERE document_key = %s",
        (key,),
    ).fetchone()
    assert row is not None
    return RowsReport(chunks, row[0], row[1], row[2], refused)


def vector_report(database: Database, bought: Mapping[str, Bought]) -> VectorReport:
    """Look at the cached vectors of these texts, inside the server."""
    row = database.fetch(
        """SELECT count(*), coalesce(min(vector_norm(embedding)), 1), coalesce(max(vector_norm(embedding)), 1),
                  count(DISTINCT embedding)
           FROM tvdb.embedding_cache c JOIN unnest(%s::text[], %s::text[]) AS wanted (text_sha256, model)
               ON c.text_sha256 = wanted.text_sha256 AND c.model = wanted.model AND c.dimensions = %s""",
        (list(bought), [got.model for got in bought.values()], DIMENSIONS),
    )[0]
    return VectorReport(len(bought), row[0], float(row[1]), float(row[2]), row[3])


def remove(conn: Connection, keys: Sequence[str]) -> int:
    """Delete the rows of these documents; how many there were."""
    return conn.execute("DELETE FROM tvdb.vector_rows WHERE document_key = ANY(%s)", (list(keys),)).rowcount
