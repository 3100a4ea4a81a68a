"""Our own pipeline, timed warm in one process, start-up apart: `python -m benchmarks.performance.ours`, in the environment of
`grounds.environment`.

Belongs here: one run and its figures. Does not: repeats, or other systems (`benchmarks.peers`).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from functools import partial
from pathlib import Path
from typing import Any

_STARTED = time.time()


class Silent:
    """Progress nobody watches."""

    def expect(self, documents: int) -> None: ...
    def tell(self, outcome: object) -> None: ...


def run(folder: Path, warm_up: Path | None, *, plain: bool) -> dict[str, Any]:
    """Ingest `folder`. warm_up: what is ingested first, so that code and database are warm.

    plain: the engine alone, without Dagster. Seconds are wall time from the plan to the last row.
    """
    from tvdb_pipeline.database.pools import Database, database_url
    from tvdb_pipeline.embedding.modes import create_client
    from tvdb_pipeline.ingest.planning import make_plan
    from tvdb_pipeline.ingest.walk import walk
    from tvdb_pipeline.ingest.workshop import build_workshop
    from tvdb_pipeline.operations.ingestion import ingest_paths
    from tvdb_pipeline.operations.overview import overview
    from tvdb_pipeline.settings import load_settings

    settings = load_settings()
    database = Database(database_url(settings)).open()
    shop = build_workshop(settings, database, create_client(settings))
    if warm_up is not None:
        ingest_paths(shop, make_plan(shop, [warm_up]), Silent())
    start_up, started = time.time() - float(os.environ.get("TVDB_BENCH_STARTED", _STARTED)), time.monotonic()
    plan = make_plan(shop, [folder])
    if plain:
        size = settings.documents_per_run
        for first in range(0, len(plan.stale), size):
            for _ in walk(shop, plan.stale[first : first + size]):
                pass
        runs: list[str] = []
        documents = overview(database, plan.keys)
    else:
        result = ingest_paths(shop, plan, Silent())
        runs, documents = result.run_ids, result.documents
    seconds = time.monotonic() - started
    rows = database.fetch("SELECT count(*) FROM tvdb.vector_rows WHERE document_key = ANY(%s)", (plan.keys,))[0][0]
    database.close()
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "peer": "tvdb",
        "version": "plain engine" if plain else "with Dagster",
        "start_up_seconds": round(start_up, 3),
        "seconds": round(seconds, 3),
        "documents": sum(document["state"] in ("ready", "partial") for document in documents),
        "rows": rows,
        "pages": sum(document["pages"] for document in documents),
        "runs": len(runs),
        "stage_seconds": {
            stage: round(sum(document["seconds"].get(stage, 0) for document in documents), 3)
            for stage in ("parse", "chunk", "embed", "store")
        },
        "cpu_seconds": round(own.ru_utime + own.ru_stime, 2),
        "cpu_seconds_parsing": round(children.ru_utime + children.ru_stime, 2),
        "peak_rss_mb": round(own.ru_maxrss / 1024, 1),
        "peak_rss_parser_mb": round(children.ru_maxrss / 1024, 1),
    }


def main() -> None:
    """One run; one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance.ours")
    parser.add_argument("--documents", type=Path, required=True)
    parser.add_argument("--warm-up", type=Path)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--texts-a-request", type=int, help="pack at most so many; for the study of batch sizes")
    options = parser.parse_args()
    from tvdb_pipeline.embedding.packing import Packer
    from tvdb_pipeline.ingest import buying

    if options.texts_a_request:
        buying.Packer = partial(Packer, max_inputs=options.texts_a_request)  # pyright: ignore[reportPrivateImportUsage]
    print(json.dumps(run(options.documents, options.warm_up, plain=options.plain)))


if __name__ == "__main__":
    main()
