"""`make redaction-quality`: recall and precision by kind, and what redaction costs in time.

Belongs here: the table and the record. Does not: drawing passages, or counting.
"""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import grounds, recording
from benchmarks.redaction_quality.counting import count
from benchmarks.redaction_quality.passages import passages
from tvdb_pipeline.chunking.chunks import chunk
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.jobs import ParseJob
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pool import ParserPool
from tvdb_pipeline.redaction.redactor import Redactor

PASSAGES, SEED = 3000, 7
PDF = "application/pdf"


def main() -> None:
    """Measure, print, keep."""
    redactor = Redactor()
    redactor.redact("")
    figures: dict[str, Any] = {
        "passages": PASSAGES,
        "rows": count(redactor, passages("test", PASSAGES, SEED)).rows(),
        "seen_while_writing": count(redactor, passages("development", PASSAGES, SEED)).rows(),
        "real": real(redactor),
    }
    for name in ("rows", "seen_while_writing"):
        show(name, figures[name])
    print(figures["real"])
    recording.keep("redaction", "make redaction-quality", figures)


def real(redactor: Redactor) -> dict[str, Any]:
    """Chunks of the insurance documents there are: chunks a second of CPU, and how many replacements by kind."""
    kinds: dict[str, int] = {}
    chunks, seconds = 0, 0.0
    with ParserPool(1, ParseOptions(), 900.0, 4096) as pool:
        for done in pool.parse([ParseJob(path.name, path, PDF) for path in grounds.insurance()]):
            if isinstance(done.parsed, TvdbError):
                raise done.parsed
            texts = [piece.text for piece in chunk(ParsedDocument.from_json(done.parsed).elements)]
            started = time.process_time()
            for text in texts:
                for kind, number in redactor.redact(text).counts.items():
                    kinds[kind] = kinds.get(kind, 0) + number
            seconds += time.process_time() - started
            chunks += len(texts)
    return {"chunks": chunks, "chunks_a_second": round(chunks / seconds), "replaced": dict(sorted(kinds.items()))}


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """A row a kind."""
    table = Table(title=title.replace("_", " "), title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "kind" else "right")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
