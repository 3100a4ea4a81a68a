"""What no pipeline can beat that reads these documents with PDFium into the same rows.

Belongs here: bare text on all cores, raw COPY of the finished rows, one latency for each full request, and their sum. Does not:
our own pipeline, or other systems.

The three are added, as if nothing overlapped: a pipeline that reads, buys and stores at the same time may come below the sum.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pypdfium2 as pdfium
from psycopg import sql

from benchmarks.performance.parsing import bare_text
from benchmarks.recording import spread
from tvdb_pipeline.embedding.packing import MAX_TOKENS

_RANGES_A_CORE = 8
"""So many shares of the pages for each core: the last one to finish keeps the others waiting for a fraction of its share."""
_COPY = sql.Identifier("tvdb", "lower_bound_rows")
_WRITE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Range:
    """Pages first..last of a file, from 0, last included."""

    path: Path
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """Finished rows as one binary COPY, and what they count: rows, and tokens of their distinct texts."""

    columns: sql.Composable
    data: bytes
    rows: int
    tokens: int


def measure(
    documents: Sequence[Path], database_url: str, latency: float, keys: Sequence[str] | None = None, repeats: int = 5
) -> dict[str, Any]:
    """The bound for these documents, of which `database_url` holds the rows of a finished ingest.

    keys: of those documents; None for all rows there are. latency: seconds of one embeddings request. All parts are in seconds.
    ValueError where there are no rows.
    """
    text, (pages, characters) = text_seconds(documents, repeats)
    with psycopg.connect(database_url, autocommit=True) as conn:
        rows = _taken(conn, keys)
        copied = _copy_seconds(conn, rows, repeats)
    requests = math.ceil(rows.tokens / MAX_TOKENS)
    waiting = requests * latency
    return {
        "documents": len(documents),
        "pages": pages,
        "characters": characters,
        "rows": rows.rows,
        "tokens": rows.tokens,
        "seconds": spread([reading + storing + waiting for reading, storing in zip(text, copied, strict=True)]),
        "parts": {
            "text_seconds": spread(text),
            "copy_seconds": spread(copied),
            "request_seconds": round(waiting, 4),
        },
        "cores": len(os.sched_getaffinity(0)),
        "requests": requests,
        "latency_seconds": latency,
        "copy_mb": round(len(rows.data) / 1024**2, 1),
    }


def compared(bound: dict[str, Any], ours: dict[str, float]) -> dict[str, Any]:
    """The bound beside our own seconds (a spread): `ratio` is our median to the median of the bound."""
    return bound | {"ours": ours, "ratio": round(ours["median"] / bound["seconds"]["median"], 3)}


def text_seconds(documents: Sequence[Path], repeats: int) -> tuple[list[float], tuple[int, int]]:
    """Seconds of bare PDFium text of all documents on all cores, for each repeat; how many pages and characters that is.

    Each process is up and has read every file once before the first repeat. Raises PdfiumError for a file that is no PDF.
    """
    cores = len(os.sched_getaffinity(0))
    counted = [(path, _page_count(path)) for path in documents]
    pages = sum(count for _, count in counted)
    work = shares(counted, max(1, math.ceil(pages / (cores * _RANGES_A_CORE))))
    characters = sum(_read(share) for share in work)
    context = multiprocessing.get_context("spawn")
    with context.Pool(cores, _warm_up, (work, context.Barrier(cores))) as pool:
        # The first pass waits until every process is past the barrier.
        _read_all(pool, work)
        seconds: list[float] = []
        for _ in range(repeats):
            started = time.perf_counter()
            _read_all(pool, work)
            seconds.append(time.perf_counter() - started)
    return seconds, (pages, characters)


def shares(counted: Sequence[tuple[Path, int]], most: int) -> list[Range]:
    """Files with their numbers of pages -> ranges of at most `most` pages, the longest first."""
    ranges = [
        Range(path, first, min(first + most, count) - 1) for path, count in counted for first in range(0, count, most)
    ]
    return sorted(ranges, key=lambda share: share.first - share.last)


def _warm_up(work: Sequence[Range], all_warm: Barrier) -> None:
    for share in work:
        _read(share)
    all_warm.wait()


def _read_all(pool: Pool, work: Sequence[Range]) -> int:
    return sum(pool.imap_unordered(_read, work))


def _read(share: Range) -> int:
    document = pdfium.PdfDocument(share.path)
    try:
        return bare_text(document, share.first, share.last)
    finally:
        document.close()


def _page_count(path: Path) -> int:
    document = pdfium.PdfDocument(path)
    try:
        return len(document)
    finally:
        document.close()


def _taken(conn: psycopg.Connection, keys: Sequence[str] | None) -> _Rows:
    names = conn.execute(
        """SELECT attname FROM pg_attribute WHERE attrelid = 'tvdb.vector_rows'::regclass
           AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"""
    ).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in names)
    chosen = sql.SQL("{} IS NULL OR document_key = ANY({})").format(*[sql.Literal(list(keys) if keys else None)] * 2)
    counted: LiteralString = """SELECT (SELECT count(*) FROM tvdb.vector_rows WHERE {0}), (SELECT coalesce(sum(tokens), 0)
        FROM (SELECT DISTINCT ON (text_sha256) tokens FROM tvdb.vector_rows WHERE {0}) AS texts)"""
    found = conn.execute(sql.SQL(counted).format(chosen)).fetchone()
    if not found or not found[0]:
        raise ValueError("the database holds no rows of these documents")
    taking = sql.SQL("COPY (SELECT {} FROM tvdb.vector_rows WHERE {}) TO STDOUT WITH (FORMAT BINARY)")
    with conn.cursor() as cursor, cursor.copy(taking.format(columns, chosen)) as copy:
        data = b"".join(bytes(part) for part in copy)
    return _Rows(columns, data, found[0], int(found[1]))


def _copy_seconds(conn: psycopg.Connection, rows: _Rows, repeats: int) -> list[float]:
    """Seconds from the first byte sent to the commit, each time into an empty table with all indexes of the original."""
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_COPY))
    conn.execute(sql.SQL("CREATE TABLE {} (LIKE tvdb.vector_rows INCLUDING ALL)").format(_COPY))
    try:
        return [_copied(conn, rows) for _ in range(repeats)]
    finally:
        conn.execute(sql.SQL("DROP TABLE {}").format(_COPY))


def _copied(conn: psycopg.Connection, rows: _Rows) -> float:
    conn.execute(sql.SQL("TRUNCATE {}").format(_COPY))
    putting = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(_COPY, rows.columns)
    started = time.perf_counter()
    with conn.cursor() as cursor, cursor.copy(putting) as copy:
        for first in range(0, len(rows.data), _WRITE_BYTES):
            copy.write(rows.data[first : first + _WRITE_BYTES])
    # The connection commits each statement: this one is over when its rows are on disk.
    return time.perf_counter() - started
