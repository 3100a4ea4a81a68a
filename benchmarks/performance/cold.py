"""Every system over the same documents from nothing, repeat by repeat in turn.

Belongs here: the repeats, and refusing to compare runs that stored different numbers of documents. Does not: one run (`systems`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import grounds
from benchmarks.peers.running import Absent, empty_database
from benchmarks.performance.systems import OURS, Site, peers, run_ours, run_peer
from benchmarks.recording import spread

REPEATS, REPEATS_OF_THE_SLOW = 5, 3
SLOW_SECONDS = 60.0
_SPREADS = ("seconds", "start_up_seconds", "peak_rss_mb", "cpu_seconds")
_COUNTS = ("documents", "rows", "requests", "texts", "tokens", "version")
Run = Callable[[Path, Site], dict[str, Any]]


def measure(documents: Path, folder: Path, latency: float, until: float) -> dict[str, dict[str, Any]]:
    """Figures by system at this latency. until: `time.monotonic()` after which those that are slow are not repeated."""
    expected = len(list(documents.glob("*.pdf")))
    runs: dict[str, list[dict[str, Any]]] = {}
    figures: dict[str, dict[str, Any]] = {}
    calls: dict[str, Run] = {OURS: lambda path, site: run_ours(path, site, warm_up=True)}
    for name, peer in peers().items():
        if isinstance(peer, Absent):
            figures[name] = {"absent": peer.reason}
        else:
            calls[name] = lambda path, site, peer=peer: run_peer(peer, path, site)
    server = grounds.database_in(folder)
    with grounds.provider(folder, latency) as provider:
        for number in range(REPEATS):
            for name, call in calls.items():
                if _enough(runs.get(name, []), number, late=time.monotonic() > until):
                    continue
                with empty_database(server) as url:
                    state = folder / f"{name}-{latency:g}-{number}"
                    state.mkdir()
                    done = call(documents, Site(url, provider, state))
                runs.setdefault(name, []).append(done)
                print(f"{latency:g} s, {name}, {number + 1}: {_told(done)}", file=sys.stderr, flush=True)
    return figures | {name: judged(done, expected) for name, done in runs.items()}


def judged(runs: list[dict[str, Any]], expected: int) -> dict[str, Any]:
    """The repeats of one system as spreads; `absent` with the reason where they cannot be compared with the others'."""
    failed = next((run["failed"] for run in runs if "failed" in run), None)
    if failed is not None:
        return {"absent": failed}
    stored = {run["documents"] for run in runs}
    if stored != {expected}:
        counts = " or ".join(map(str, sorted(stored)))
        return {"absent": f"not compared: it stored {counts} of {expected} documents"}
    first: Mapping[str, Any] = runs[0]
    return {
        **{name: spread([run[name] for run in runs]) for name in _SPREADS if name in first},
        **{name: first[name] for name in _COUNTS if name in first},
        "repeats": len(runs),
    }


def _enough(runs: list[dict[str, Any]], number: int, *, late: bool) -> bool:
    if any("failed" in run for run in runs):
        return True
    slow = any(run["seconds"] > SLOW_SECONDS for run in runs)
    return slow and (late or number >= REPEATS_OF_THE_SLOW)


def _told(run: Mapping[str, Any]) -> str:
    return run.get("failed") or f"{run['seconds']:.1f} s, {run['documents']} documents, {run['rows']} rows"
