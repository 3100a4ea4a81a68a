"""The table tvdb.vector_rows, filled straight by binary COPY, and its HNSW indexes.

Belongs here: rows in, indexes made, timed. Does not: queries.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from benchmarks.search_at_scale.passages import DOCUMENT_ROWS
from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.vectorstore.indexes import COLUMNS, GRAPHS, ORDERS, index_name, kind_of_index

FOLDERS = 100
"""Documents are dealt out to so many folders: each holds 1% of the rows."""
_BUILD_MEMORY = "2500MB"
"""A graph that outgrows maintenance_work_mem goes on many times slower; that of 250,000 halfvec takes about 1 GB."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to index the vectors. column: what stands in the index, and its operator class; order: what a query orders by.

    views: the values of hnsw.ef_search tried; candidates: rows ranked by their whole vectors.
    """

    name: str
    column: sql.Composable
    order: sql.Composable
    parameters: sql.Composable
    views: tuple[int, ...]
    candidates: int


_VECTOR_COLUMN, _VECTOR_ORDER = sql.SQL("embedding vector_cosine_ops"), sql.SQL("embedding <=> %(vector)s")
_WELL_LINKED = sql.SQL("m = 16, ef_construction = 200")
_DEFAULT_LINKS = sql.SQL("m = 16, ef_construction = 64")
_VIEWS = (100, 200, 400, 600, 800)


def kinds(model: str) -> list[Kind]:
    """Those compared; the last is the product's for this model."""
    own = kind_of_index(model)
    half = COLUMNS["halfvec"], ORDERS["halfvec"]
    found = [
        Kind("vector, pgvector's graph", _VECTOR_COLUMN, _VECTOR_ORDER, _DEFAULT_LINKS, _VIEWS, 100),
        Kind("vector, well linked", _VECTOR_COLUMN, _VECTOR_ORDER, _WELL_LINKED, _VIEWS, 100),
        Kind("halfvec, well linked", *half, GRAPHS["halfvec"], _VIEWS, 100),
    ]
    if own == "signs":
        signs = COLUMNS["signs"], ORDERS["signs"]
        found += [
            Kind("signs, pgvector's graph", *signs, _DEFAULT_LINKS, _VIEWS, 300),
            Kind("signs, well linked", *signs, _WELL_LINKED, _VIEWS, 300),
            Kind("signs", *signs, GRAPHS["signs"], _VIEWS, 300),
        ]
    return found


def folder(document: int) -> str:
    """The folder the document of this number lies in."""
    return f"folder-{document % FOLDERS:02d}"


def fill(database: Database, model: str, passages: Sequence[str], vectors: Vectors, first: int) -> float:
    """Append rows; the seconds it took. first: how many rows there are already, whole documents."""
    started = time.monotonic()
    with database.connection() as conn:
        count = -(-len(passages) // DOCUMENT_ROWS)
        numbers = range(first // DOCUMENT_ROWS, first // DOCUMENT_ROWS + count)
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO tvdb.documents (key, path, state) VALUES (%s, %s, 'ready')",
                [(key(number), f"{folder(number)}/{key(number)}.pdf") for number in numbers],
            )
        conn.execute(
            """CREATE TRIGGER words BEFORE INSERT ON tvdb.vector_rows FOR EACH ROW
               EXECUTE FUNCTION tsvector_update_trigger(search_text, 'pg_catalog.english', text)"""
        )
        _copy(conn, model, passages, vectors, first)
        conn.execute("DROP TRIGGER words ON tvdb.vector_rows")
    seconds = time.monotonic() - started
    _in_autocommit(database, "VACUUM ANALYZE tvdb.vector_rows")
    return seconds


def build(database: Database, model: str, kind: Kind) -> dict[str, float]:
    """Make an index of this kind; the seconds it took, and its bytes. All cores take part, where the product uses one."""
    started = time.monotonic()
    name = index_name(model)
    with database.connection() as conn:
        _make_room(conn)
        conn.execute(
            sql.SQL("CREATE INDEX {} ON tvdb.vector_rows USING hnsw ({}) WITH ({}) WHERE embedding_model = {}").format(
                sql.Identifier(name), kind.column, kind.parameters, sql.Literal(model)
            )
        )
    seconds = time.monotonic() - started
    size = database.fetch("SELECT pg_relation_size(%s::regclass)", (f"tvdb.{name}",))[0][0]
    return {"build_s": round(seconds, 1), "mb": round(size / 1024**2, 1)}


def drop(database: Database, model: str) -> None:
    """Remove what `build` made."""
    with database.connection() as conn:
        conn.execute(sql.SQL("DROP INDEX tvdb.{}").format(sql.Identifier(index_name(model))))


def key(document: int) -> str:
    """The key of the document of this number."""
    return f"doc-{document:06d}"


def _copy(conn: Connection, model: str, passages: Sequence[str], vectors: Vectors, first: int) -> None:
    command = (
        "COPY tvdb.vector_rows (document_key, chunk_index, text, page_start, page_end, tokens, embedding, embedding_model,"
        " text_sha256) FROM STDIN WITH (FORMAT BINARY)"
    )
    with conn.cursor() as cursor, cursor.copy(command) as copy:
        copy.set_types(["text", "int4", "text", "int4", "int4", "int4", "vector", "text", "text"])
        for number, (text, vector) in enumerate(zip(passages, vectors, strict=True), first):
            document, index = divmod(number, DOCUMENT_ROWS)
            digest = hashlib.sha256(text.encode()).hexdigest()
            copy.write_row((key(document), index, text, index + 1, index + 1, len(text.split()), vector, model, digest))


def _make_room(conn: Connection) -> None:
    workers = max(len(os.sched_getaffinity(0)) - 1, 0)
    conn.execute(sql.SQL("SET LOCAL maintenance_work_mem = {}").format(sql.Literal(_BUILD_MEMORY)))
    conn.execute(sql.SQL("SET LOCAL max_parallel_maintenance_workers = {}").format(sql.Literal(workers)))


def _in_autocommit(database: Database, command: LiteralString) -> None:
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute(command)
