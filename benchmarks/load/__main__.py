"""50 documents of 1 to 230 pages through three ingests at once, close to every limit: `python -m benchmarks.load`.

Belongs here: the load and its report. Does not: what is counted (`promises`, `progress`) or drawn (`documents`).

The three processes are given overlapping parts of the folder, so that each document is asked for twice. The provider refuses
what comes too fast and fails now and then; the daily limit is a few percent above the quote, and the request window is short and
narrow, so that documents are deferred and taken up again when they are due, as the recovery sensor does it: by a new process in
the place of one that ended.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks import grounds, recording
from benchmarks.load import documents, promises, watching
from benchmarks.load.progress import Progress, percentile
from benchmarks.load.provider import RateLimit
from benchmarks.load.scrapes import Scrapes, scraped
from tvdb_pipeline.budget.orders import Limits
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest.sweeping import MAX_ATTEMPTS
from tvdb_pipeline.settings import NANO_DOLLARS
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

WINDOW_SECONDS, WINDOW_REQUESTS = 15.0, 4
PROVIDER_SECONDS, PROVIDER_REQUESTS = 2.0, 1
"""What the provider takes."""
DOCUMENTS_PER_RUN = 4
HEADROOM = Decimal("1.03")
"""The daily limit, of the quote."""
SHARES = (("a", "b"), ("b", "c"), ("c", "a"))
"""The parts of the folder each process is given."""
MOST_SECONDS = 600.0
_LOOK_SECONDS = 0.25
_ENDS = {0, 3}
"""Exit codes of an ingest that did what it could: all ready, or some deferred."""


def quoted(uploads: Path) -> int:
    """Nano-dollars all documents would cost, by `tvdb quote` in an installation of its own: nothing of it is found later."""
    with grounds.home() as apart:
        variables = grounds.environment(apart, "http://127.0.0.1:9/v1", TVDB_UPLOAD_DIR=str(uploads))
        done = subprocess.run(
            [*_tvdb("quote"), str(uploads), "--json"], cwd=grounds.ROOT, env={**os.environ, **variables},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return int(Decimal(json.loads(done.stdout)["cost_usd"]) * NANO_DOLLARS)


def load(
    uploads: Path, variables: dict[str, str], database: Database, errors: Path, scrapes: Scrapes | None = None
) -> Progress:
    """Ingest until nothing is left to do, or the time is up. errors: a file for what the processes say on stderr."""
    progress, started, running = Progress(database), time.monotonic(), list[subprocess.Popen[bytes]]()
    shares = itertools.cycle(SHARES)
    with errors.open("wb") as said:
        while time.monotonic() - started < MOST_SECONDS:
            progress.look([process.pid for process in running])
            if scrapes is not None:
                scrapes.look()
            progress.exits.update(process.returncode for process in running if process.poll() is not None)
            running = [process for process in running if process.returncode is None]
            if not progress.exits and not running:
                running = [_ingest(uploads, next(shares), variables, said) for _ in SHARES]
            elif len(running) < len(SHARES) and registry.resumable(database, MAX_ATTEMPTS):
                running.append(_ingest(uploads, next(shares), variables, said))
            elif not running and all(each.state in registry.SEARCHABLE for each in registry.load(database)):
                break
            time.sleep(_LOOK_SECONDS)
        for process in running:
            process.kill()
            process.wait()
    return progress


def _ingest(uploads: Path, share: Sequence[str], variables: dict[str, str], said: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*_tvdb("ingest"), "--json", *(str(uploads / part) for part in share)], cwd=grounds.ROOT,
        env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=said,
    )  # fmt: skip


def _tvdb(command: str) -> list[str]:
    return [sys.executable, "-m", "tvdb_pipeline.cli", command]


def measure(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The figures of one load, and the promises it broke."""
    uploads = folder / "uploads"
    files = documents.write_mix(uploads)
    quote = quoted(uploads)
    limit = int(quote * HEADROOM)
    with FakeOpenAI(
        grounds.LATENCY_SECONDS, script=RateLimit(PROVIDER_REQUESTS, PROVIDER_SECONDS), cheap_vectors=True
    ) as provider:
        variables = grounds.environment(
            folder,
            provider.url,
            TVDB_DAILY_COST_LIMIT_USD=str(Decimal(limit) / NANO_DOLLARS),
            TVDB_HOURLY_REQUEST_LIMIT=str(WINDOW_REQUESTS),
            TVDB_REQUEST_WINDOW_SECONDS=str(WINDOW_SECONDS),
            TVDB_DOCUMENTS_PER_RUN=str(DOCUMENTS_PER_RUN),
        )
        database = Database(variables["TVDB_DATABASE_URL"]).open()
        try:
            with scraped(variables, database, _free_port()) as scrapes:
                progress = load(uploads, variables, database, folder / "stderr.txt", scrapes)
                scrapes.look()
            seconds = max(progress.ready.values(), default=0.0)
            limits = Limits(limit, WINDOW_REQUESTS, 10 * NANO_DOLLARS)
            ended = promises.count(database, provider, limits, WINDOW_SECONDS, len(progress.deferred), seconds)
            pages = sum(document.pages for document in registry.load(database))
        finally:
            database.close()
    figures = _figures(progress, ended, len(files), pages, seconds) | {
        "quote_nano": quote,
        "limit_nano": limit,
        "ingests": dict(progress.exits),
        "bill_nano": provider.bill_nano,
        "scrapes": scrapes.looks,
        "scrapes_compared": scrapes.compared,
    }
    faults = promises.faults_of(ended) + [f"metrics differ: {what}" for what in scrapes.differences]
    if set(progress.exits) - _ENDS:
        faults.append(f"ingests ended with exit codes {dict(progress.exits)}")
    return figures, faults


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _figures(progress: Progress, ended: promises.Ended, files: int, pages: int, seconds: float) -> dict[str, Any]:
    hours = max(seconds, 0.001) / 3600
    work, ready = list(progress.work.values()), list(progress.ready.values())
    return {
        "files": files,
        "documents": sum(ended.states.values()),
        "states": ended.states,
        "pages": pages,
        "seconds": round(seconds, 1),
        "documents_an_hour": round(len(ready) / hours),
        "pages_an_hour": round(pages / hours),
        "work_seconds": {"p50": round(percentile(work, 50), 2), "p95": round(percentile(work, 95), 2)},
        "until_ready_seconds": {"p50": round(percentile(ready, 50), 1), "p95": round(percentile(ready, 95), 1)},
        "peak_mb": {name: round(size / watching.MB) for name, size in progress.peaks.items()},
        "deferred": ended.deferred,
        "requests": ended.outcomes,
        "most_requests_in_a_window": ended.money.busiest,
        "requests_limit": WINDOW_REQUESTS,
        "window_seconds": WINDOW_SECONDS,
        "spent_of_limit": round(ended.money.worst_window_use, 4),
        "ledger_tokens": ended.money.ledger_tokens,
        "provider_tokens": ended.money.server_tokens,
        "charged_unknown": ended.money.unknown,
        "wrong_rows": ended.wrong_rows,
        "texts_bought_twice": ended.bought_twice,
    }  # fmt: skip


def main() -> None:
    """Load, print the figures and keep them; exit code 1 where a promise is broken."""
    with grounds.home() as folder:
        figures, faults = measure(folder)
        if faults:
            kept = Path(tempfile.gettempdir()) / "tvdb-load-stderr.txt"
            kept.write_bytes((folder / "stderr.txt").read_bytes())
            print(f"  what the processes said: {kept}")
    for name, value in figures.items():
        print(f"  {name:26} {value:,}" if isinstance(value, int) else f"  {name:26} {value}")
    print("  " + ("; ".join(faults) if faults else "every promise holds"))
    recording.keep("load-test", "make load-test", figures | {"broken": faults})
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
