"""Ours and the peers, each run once over a folder with a database, a provider and a state that is kept between runs.

Belongs here: calling each in the same way, and what the provider saw of it. Does not: repeats, or setting peers up
(`benchmarks.peers`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import grounds
from benchmarks.peers.running import Absent, Failed, Peer, installed, run
from tvdb_pipeline_tests.fake_openai.process import ServerProcess

OURS = "ours"
INGESTING = ("llamaindex", "langchain", "cocoindex", "unstructured_ingest")
TIMEOUT_SECONDS = 420.0


WARM_UP = ("homeowner-declarations.pdf", "id-card-photo.jpg", "auto-declarations.pdf", "pharmacy-receipt.webp")
"""Examples ours is warmed up with: text and pictures, so that each parsing process has read both."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a system works: a database of its own, the provider, and a folder for what it keeps between runs."""

    database_url: str
    provider: ServerProcess
    state: Path


def peers() -> dict[str, Peer | Absent]:
    """The peers that ingest, by name."""
    return {name: peer for name, peer in installed().items() if name in INGESTING}


def run_peer(peer: Peer, documents: Path, site: Site) -> dict[str, Any]:
    """One run; its figures with requests, texts and tokens, or `failed` with a reason."""
    before = len(site.provider.entries())
    done = run(peer, documents, site.database_url, site.provider.url, site.state, TIMEOUT_SECONDS)
    return {"failed": done.reason} if isinstance(done, Failed) else asdict(done) | sent(site.provider, before)


def run_ours(documents: Path, site: Site, *options: str, warm_up: bool = False, **settings: str) -> dict[str, Any]:
    """One run of ours in a process of its own. warm_up: other documents are ingested first, in one request of their own."""
    before = len(site.provider.entries())
    variables = os.environ | grounds.environment(site.state, site.provider.url)
    variables |= {"TVDB_DATABASE_URL": site.database_url, **settings}
    if warm_up:
        folder = site.state / "warm-up"
        folder.mkdir()
        for name in WARM_UP:
            shutil.copy(grounds.EXAMPLES / name, folder)
        options += ("--warm-up", str(folder))
    figures = invoke(documents, variables, *options)
    return figures if "failed" in figures else figures | sent(site.provider, before)


def invoke(documents: Path, variables: Mapping[str, str], *options: str) -> dict[str, Any]:
    """One process of ours in this environment; its figures, or `failed` with a reason."""
    command = [sys.executable, "-m", "benchmarks.performance.ours", "--documents", str(documents), *options]
    started = {**variables, "TVDB_BENCH_STARTED": repr(time.time())}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=started, cwd=grounds.ROOT, timeout=7200
    )
    if done.returncode != 0:
        return {"failed": f"It ended with exit code {done.returncode}: {done.stderr.strip().splitlines()[-1][:200]}"}
    return json.loads(done.stdout.splitlines()[-1])


def sent(provider: ServerProcess, since: int) -> dict[str, Any]:
    """What the provider has been asked since its entry number `since`."""
    asked = [entry for entry in provider.entries()[since:] if entry.charged]
    return {
        "requests": len(asked),
        "texts": sum(entry.inputs for entry in asked),
        "tokens": sum(entry.tokens for entry in asked),
        "request_tokens": [entry.tokens for entry in asked],
        "request_texts": [entry.inputs for entry in asked],
    }
