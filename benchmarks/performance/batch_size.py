"""`make batch-study`: documents a run, texts a request, requests at once, and how the vector index is kept.

Belongs here: the study whose results are the defaults. Does not: the runs themselves (`systems`, `ours`).
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

from benchmarks import grounds, recording
from benchmarks.growth.documents import write_documents
from benchmarks.peers.running import empty_database
from benchmarks.performance.systems import Site, run_ours

DOCUMENTS = 200
DOCUMENTS_A_RUN = (10, 50, 200)
TEXTS_A_REQUEST = (64, 256, 2048)
REPEATS = 2


def main() -> None:
    """Measure, print, keep."""
    with grounds.home() as folder:
        documents = folder / "documents"
        write_documents(documents, 0, DOCUMENTS)
        figures: dict[str, Any] = {"documents": DOCUMENTS, "latency_seconds": grounds.LATENCY_SECONDS}
        # The shortest first: what is wrong with any of them is seen early.
        figures["index"] = index_strategies(folder)
        figures["rows"] = runs(folder, documents)
        figures["texts_a_request"] = requests(folder, documents)
        figures["requests_at_once"] = waiting(folder, documents)
    for name in ("rows", "texts_a_request", "requests_at_once", "index"):
        show(name, figures[name])
    recording.keep("batch-size", "make batch-study", figures)


def once(folder: Path, documents: Path, latency: float, *options: str, **settings: str) -> dict[str, Any]:
    """One cold run over a database of its own."""
    with empty_database(grounds.database_in(folder)) as url, grounds.provider(folder, latency) as provider:
        state = folder / f"state-{time.monotonic_ns()}"
        state.mkdir()
        done = run_ours(documents, Site(url, provider, state), *options, warm_up=True, **settings)
    if "failed" in done:
        raise RuntimeError(done["failed"])
    return done


def runs(folder: Path, documents: Path) -> list[dict[str, Any]]:
    """By documents a run: seconds with Dagster and with the plain engine, what Dagster adds, and requests."""
    rows: list[dict[str, Any]] = []
    for size in DOCUMENTS_A_RUN:
        pairs = [
            [
                once(folder, documents, grounds.LATENCY_SECONDS, *options, TVDB_DOCUMENTS_PER_RUN=str(size))
                for options in ((), ("--plain",))
            ]
            for _ in range(REPEATS)
        ]
        with_dagster = recording.spread([pair[0]["seconds"] for pair in pairs])
        plain = recording.spread([pair[1]["seconds"] for pair in pairs])
        added = [(pair[0]["seconds"] - pair[1]["seconds"]) * 1000 / DOCUMENTS for pair in pairs]
        rows.append(
            {
                "documents_per_run": size,
                "seconds": with_dagster,
                "plain_seconds": plain,
                "dagster_ms_a_document": recording.spread(added, 1),
                "requests": pairs[0][0]["requests"] - 1,
                "peak_rss_mb": pairs[0][0]["peak_rss_mb"],
            }
        )
    return rows


def requests(folder: Path, documents: Path) -> list[dict[str, Any]]:
    """By the most texts a request may hold: seconds, and requests of the hourly limit that are used up."""
    rows: list[dict[str, Any]] = []
    for most in TEXTS_A_REQUEST:
        done = [
            once(folder, documents, grounds.LATENCY_SECONDS, "--texts-a-request", str(most)) for _ in range(REPEATS)
        ]
        seconds = recording.spread([run["seconds"] for run in done])
        rows.append({"texts_a_request": most, "seconds": seconds, "requests": done[0]["requests"] - 1})
    return rows


def waiting(folder: Path, documents: Path) -> list[dict[str, Any]]:
    """What requests at once could save at most: the same run against a provider that takes no time at all."""
    rows: list[dict[str, Any]] = []
    for latency in (grounds.LATENCY_SECONDS, 0.0):
        done = [once(folder, documents, latency) for _ in range(REPEATS)]
        rows.append({"latency_seconds": latency, "seconds": recording.spread([run["seconds"] for run in done])})
    return rows


def index_strategies(folder: Path) -> list[dict[str, Any]]:
    """Rows of the insurance documents copied with the vector index kept, and copied without it and indexed afterwards."""
    documents = folder / "insurance"
    documents.mkdir()
    for path in grounds.insurance():
        shutil.copy(path, documents)
    with empty_database(grounds.database_in(folder)) as url, grounds.provider(folder, 0.0) as provider:
        state = folder / "index"
        state.mkdir()
        run_ours(documents, Site(url, provider, state))
        with psycopg.connect(url, autocommit=True) as conn:
            kept = [_copied(conn, index_first=True) for _ in range(REPEATS)]
            after = [_copied(conn, index_first=False) for _ in range(REPEATS)]
            count = conn.execute("SELECT count(*) FROM tvdb.vector_rows").fetchone()
    assert count is not None
    return [
        {"index": "kept during the load", "rows": count[0], "seconds": recording.spread(kept)},
        {"index": "made after the load", "rows": count[0], "seconds": recording.spread(after)},
    ]


def _copied(conn: psycopg.Connection, *, index_first: bool) -> float:
    conn.execute("DROP TABLE IF EXISTS tvdb.copied_rows")
    conn.execute("CREATE TABLE tvdb.copied_rows (LIKE tvdb.vector_rows INCLUDING ALL)")
    found = conn.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'copied_rows' AND indexdef LIKE '%USING hnsw%'"
    ).fetchall()
    if not index_first:
        for name, _ in found:
            conn.execute(sql.SQL("DROP INDEX tvdb.{}").format(sql.Identifier(name)))
    given = conn.execute(
        """SELECT column_name FROM information_schema.columns WHERE table_schema = 'tvdb' AND table_name = 'vector_rows'
           AND is_generated = 'NEVER' ORDER BY ordinal_position"""
    ).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in given)
    started = time.perf_counter()
    conn.execute(
        sql.SQL("INSERT INTO tvdb.copied_rows ({columns}) SELECT {columns} FROM tvdb.vector_rows").format(
            columns=columns
        )
    )
    if not index_first:
        for _, definition in found:
            # As PostgreSQL itself wrote it down.
            conn.execute(sql.SQL(definition))
    seconds = time.perf_counter() - started
    conn.execute("DROP TABLE tvdb.copied_rows")
    return seconds


def show(name: str, rows: list[dict[str, Any]]) -> None:
    """One table."""
    table = Table(title=name.replace("_", " "), title_justify="left")
    for column in rows[0]:
        table.add_column(column.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(str(value["median"]) if isinstance(value, dict) else str(value) for value in row.values()))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
