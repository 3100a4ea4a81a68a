"""`make bench`: ours and the peers on the same ground, then the reports.

Belongs here: the order, and the time it may take. Does not: any measurement.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import grounds, recording
from benchmarks.peers.installation import install
from benchmarks.peers.running import Absent, Failed, empty_database, installed, run_parser
from benchmarks.performance import changes, cold, lower_bound, parsing, succeeded
from benchmarks.performance.cold import SLOW_SECONDS
from benchmarks.performance.systems import OURS, Site, run_ours
from tvdb_pipeline.embedding.packing import MAX_INPUTS, MAX_TOKENS
from tvdb_pipeline.operations.reports.writing import write_reports

MINUTES = 45
_COLD_ENDS_AFTER = 0.65
"""Of the time: no further repeat of a cold run begins after this part of it."""
PARSERS = ("pdfium", "kreuzberg", "unstructured_fast")
LATENCIES = (grounds.LATENCY_SECONDS, 0.0)


def main() -> None:
    """Install the peers, measure, keep the records, write the reports."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.performance")
    asked.add_argument(
        "--minutes", type=float, default=MINUTES, help="about how long it may take; fewer repeats if short"
    )
    asked.add_argument("--sizes-only", action="store_true", help="only documents of the sizes of the system before")
    options = asked.parse_args()
    minutes, started = options.minutes, time.monotonic()
    if options.sizes_only:
        _sizes()
        return
    _tell("peers are installed where they are not")
    for environment, reason in install().items():
        if reason:
            _tell(f"{environment} cannot be installed: {reason}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tvdb-bench-documents-") as name:
        documents = Path(name)
        for path in grounds.insurance():
            shutil.copy(path, documents)
        recording.keep("parsing", "make bench", _parsing(documents))
        with grounds.home() as folder:
            bench, bound = _cold(documents, folder, begun + _COLD_ENDS_AFTER * minutes * 60)
        recording.keep("lower-bound", "make bench", bound)
        recording.keep("bench", "make bench", bench)
    _sizes()
    write_reports(recording.DATA.parent)
    _tell(f"done in {(time.monotonic() - started) / 60:.1f} minutes")


def _sizes() -> None:
    _tell("sizes of the system before")
    with grounds.home() as folder:
        recording.keep("sizes", "make bench", succeeded.measure(folder))


def _parsing(documents: Path) -> dict[str, Any]:
    _tell("parsing")
    files = sorted(documents.glob("*.pdf"))
    figures = parsing.measure(files, 5)
    peers: dict[str, Any] = {}
    for name in PARSERS:
        peer = installed()[name]
        if isinstance(peer, Absent):
            peers[name] = {"absent": peer.reason}
            continue
        runs = [run_parser(peer, documents, 600.0)]
        while len(runs) < 3 and sum(run.seconds for run in runs if not isinstance(run, Failed)) < SLOW_SECONDS:
            runs.append(run_parser(peer, documents, 600.0))
        failed = next((run for run in runs if isinstance(run, Failed)), None)
        if failed is not None:
            peers[name] = {"absent": failed.reason}
            continue
        done = [run for run in runs if not isinstance(run, Failed)]
        speeds = [sum(file["pages"] for file in run.files.values()) / run.seconds for run in done]
        peers[name] = {
            "pages_a_second": recording.spread(speeds, 2),
            "start_up_seconds": recording.spread([run.start_up_seconds for run in done]),
            "structure": done[0].structure,
            "version": done[0].version,
        }
    return figures | {"peers": peers}


def _cold(documents: Path, folder: Path, until: float) -> tuple[dict[str, Any], dict[str, Any]]:
    count = len(list(documents.glob("*.pdf")))
    # The slow are repeated at the real latency first.
    most = time.monotonic() + (until - time.monotonic()) * 0.7
    by_latency: dict[str, Any] = {}
    for latency, end in zip(LATENCIES, (most, until), strict=True):
        _tell(f"cold runs at {latency:g} s a request")
        by_latency[f"{latency:g}"] = cold.measure(documents, folder, latency, end)
    ours = by_latency[f"{grounds.LATENCY_SECONDS:g}"][OURS]
    _tell("lower bound")
    bound, packing = _bound(documents, folder)
    bound = lower_bound.compared(bound, ours["seconds"])
    _tell("changes")
    changed = changes.measure(folder)
    bench = {
        "documents": count,
        "pages": bound["pages"],
        "latency_seconds": by_latency,
        "changes": changed,
        "packing": packing,
    }
    return bench, bound


def _bound(documents: Path, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lower bound over the rows of a finished run, and how full the requests of that run were."""
    with grounds.provider(folder) as provider, empty_database(grounds.database_in(folder)) as url:
        state = folder / "bound"
        state.mkdir()
        done = run_ours(documents, Site(url, provider, state))
        bound = lower_bound.measure(sorted(documents.glob("*.pdf")), url, grounds.LATENCY_SECONDS)
    filled = [
        max(tokens / MAX_TOKENS, texts / MAX_INPUTS)
        for tokens, texts in zip(done["request_tokens"], done["request_texts"], strict=True)
    ]
    return bound, {"filled": [round(share, 4) for share in filled], "least_full_but_last": round(min(filled[:-1]), 4)}


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
