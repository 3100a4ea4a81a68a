"""`make growth`: the same work at 100, 1,000 and 10,000 documents.

Belongs here: the order of things and the table. Does not: what is measured of Dagster (`dagster_costs`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pypdfium2 as pdfium
from rich.console import Console
from rich.table import Table

from benchmarks import grounds, recording
from benchmarks.growth.dagster_costs import know_more, query_seconds, tick_seconds, ui_seconds
from benchmarks.growth.documents import write_documents
from benchmarks.growth.settled import settle
from benchmarks.performance.systems import invoke
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

KNOWN_KEYS = 100_000
PAGES_OF_THE_LONG_ONE, PARAGRAPHS_OF_THE_LONG_ONE = 1000, 12_000


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--documents", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument(
        "--known-only", action="store_true", help="only the last part, over files made known without ingesting them"
    )
    options = parser.parse_args()
    if options.known_only:
        return among_known_keys(max(options.documents))
    figures: dict[str, Any] = {"import_over_dagster_seconds": import_seconds(), "rows": []}
    with grounds.home() as folder, grounds.provider(folder, grounds.LATENCY_SECONDS) as server:
        os.environ.update(grounds.environment(folder, server.url))
        url = os.environ["TVDB_DATABASE_URL"]
        uploads, before = folder / "uploads", 0
        figures["thousand_pages"] = thousand_pages(folder)
        for count in sorted(options.documents):
            write_documents(uploads, before, count)
            figures["rows"].append(level(uploads, before, count, url))
            print(json.dumps(figures["rows"][-1]), file=sys.stderr, flush=True)
            # Kept level by level: the last one takes most of the time.
            recording.keep("growth", "make growth", figures)
            before = count
        figures["with_known_keys"] = crowded(url, before)
    show(figures)
    recording.keep("growth", "make growth", figures)


def among_known_keys(files: int) -> None:
    """Measure the last column alone, and keep it beside the others measured before."""
    earlier = recording.load("growth")
    figures: dict[str, Any] = earlier["figures"] if earlier else {}
    with grounds.home() as folder:
        os.environ.update(grounds.environment(folder, None))
        url = os.environ["TVDB_DATABASE_URL"]
        settle(url, files)
        figures["with_known_keys"] = crowded(url, files) | {"commit": recording.commit()}
    print(json.dumps(figures["with_known_keys"], indent=2))
    recording.amend("growth", "make growth", figures)


def crowded(url: str, files: int) -> dict[str, Any]:
    """What Dagster's side costs among `KNOWN_KEYS` keys, of which so many are files that lie there."""
    known = psycopg.connect(url).execute("SELECT count(*) FROM tvdb.documents").fetchone()
    assert known is not None
    know_more(url, KNOWN_KEYS - known[0])
    return {"known_keys": KNOWN_KEYS, "files": files, **tick_seconds(url), **query_seconds(url), **ui_seconds(url)}


def level(uploads: Path, before: int, count: int, url: str) -> dict[str, Any]:
    """Ingest what was added since the level before, then nothing; then ask Dagster."""
    billed = bill(url)
    added, unchanged = ingest(uploads), ingest(uploads)
    new = count - before
    return {
        "documents": count,
        "added": new,
        "seconds_a_document": round(added["seconds"] / new, 4),
        "usd_a_document": round((bill(url) - billed) / 1e9 / new, 8),
        "runs": added["runs"],
        "ready": added["documents"],
        "unchanged_ms_a_document": round(unchanged["seconds"] * 1000 / count, 3),
        "unchanged_runs": unchanged["runs"],
        "peak_rss_mb": added["peak_rss_mb"],
        "peak_rss_parser_mb": added["peak_rss_parser_mb"],
        **tick_seconds(url),
        **query_seconds(url),
        **ui_seconds(url),
    }


def bill(url: str) -> int:
    """Nano-dollars the ledger knows of."""
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT coalesce(sum(cost_nano), 0) FROM tvdb.requests").fetchone()
    assert row is not None
    return int(row[0])


def thousand_pages(folder: Path) -> dict[str, Any]:
    """The peak memory of the process that ingests one PDF of a thousand pages, and of the largest that parses it."""
    documents = folder / "long"
    documents.mkdir()
    data = flowing_pdf(paragraphs(PARAGRAPHS_OF_THE_LONG_ONE, seed=5))
    with pdfium.PdfDocument(data) as drawn, pdfium.PdfDocument.new() as long_one:
        long_one.import_pages(drawn, range(PAGES_OF_THE_LONG_ONE))
        long_one.save(documents / "long.pdf")
    done = ingest(documents)
    names = ("pages", "rows", "seconds", "peak_rss_mb", "peak_rss_parser_mb")
    return {name: done[name] for name in names}


def import_seconds() -> dict[str, float]:
    """What `tvdb_pipeline.definitions` takes to be imported where dagster has been."""
    program = (
        "import time, dagster; started = time.perf_counter(); import tvdb_pipeline.definitions; "
        "print(time.perf_counter() - started)"
    )
    command = [sys.executable, "-c", program]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=grounds.ROOT) for _ in range(6)]
    # The first one reads the files from the disk.
    return recording.spread([float(run.stdout) for run in runs[1:]])


def ingest(uploads: Path) -> dict[str, Any]:
    """One invocation in a process of its own."""
    figures = invoke(uploads, os.environ)
    if "failed" in figures:
        raise RuntimeError(f"the ingest failed: {figures['failed']}")
    return figures


def show(figures: dict[str, Any]) -> None:
    """A line for each figure, a column for each number of documents."""
    rows, last = figures["rows"], figures["with_known_keys"]
    table = Table(title="Growth", title_justify="left")
    table.add_column("")
    for row in rows:
        table.add_column(f"{row['documents']:,}", justify="right")
    table.add_column(f"{last['known_keys']:,} known keys", justify="right")
    for name in list(rows[0])[1:]:
        table.add_row(name, *(str(row[name]) for row in rows), str(last.get(name, "")))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
