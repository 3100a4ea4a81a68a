"""One process does for half an hour what the sensors and runs do, while files come and go: `python -m benchmarks.load.soak`.

Belongs here: that process, its samples and their verdict. Does not: what people do to the folder (`traffic`).

Each round a file comes, changes, is renamed or deleted; the folder is looked at until it is at rest, stale documents are run
through one long-lived Dagster instance, vanished ones removed, and a search is made. Samples are taken between rounds, when
nothing is under way: no claim or reservation may be left, and of processes and scratch folders only
those of the parsers that are kept warm, which are ended before the verdict. What it buys comes from the fake provider.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString

import dagster as dg

from benchmarks import grounds, recording
from benchmarks.load import watching
from benchmarks.load.judging import Growth, judge
from benchmarks.load.traffic import Traffic
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding.modes import create_client
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.sweeping import due
from tvdb_pipeline.ingest.watching import look, remove_gone
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.orchestration.forgetting import forget_erased
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.orchestration.launching import run_documents
from tvdb_pipeline.orchestration.observation import nobody
from tvdb_pipeline.parsing import warm
from tvdb_pipeline.settings import Settings, load_settings
from tvdb_pipeline_tests.fake_openai.process import ServerProcess
from tvdb_pipeline_tests.prose import paragraphs

FULL_MINUTES = 30.0
"""A shorter soak is a trial: its figures are not kept."""
SAMPLES = 30
MEMORY = ("own_mb", "rss_mb")
COUNTS = ("descriptors", "threads", "connections", "children", "leftovers", "held", "orphans")
_LOOKS = 4
"""A file is seen, settles and is run, and then what vanished is let go of: after so many looks the folder is at rest."""


@dataclass
class Soak:
    """The state of a soak. foreign: processes that belong to the grounds; samples: one mapping each."""

    settings: Settings
    shop: Workshop
    instance: dg.DagsterInstance
    traffic: Traffic
    scratch: Path
    foreign: frozenset[int]
    rounds: int = 0
    runs: int = 0
    documents: int = 0
    removed: int = 0
    samples: list[dict[str, float]] = field(default_factory=list[dict[str, float]])

    def round(self) -> None:
        """One act, what follows from it, and a search."""
        self.traffic.act()
        for _ in range(_LOOKS):
            self._sense()
        self.rounds += 1
        answer(self.shop, paragraphs(1, seed=self.rounds % 500)[0][:200], 5, "fused")

    def _sense(self) -> None:
        """Both sensors and the runs they ask for. As they do, it opens the database anew each time."""
        assert self.settings.database_url is not None
        database = Database(self.settings.database_url.get_secret_value()).open()
        try:
            shop = build_workshop(self.settings, database, create_client(self.settings))
            seen = look(shop)
            remove_gone(shop, seen.gone)
            keys = list(dict.fromkeys(document.key for document in [*seen.stale, *due(shop)]))
            forget_erased(self.instance, database)
        finally:
            database.close()
        self.removed += len(seen.gone)
        self.documents += len(keys)
        if keys:
            self.runs += len(run_documents(self.instance, self.shop, keys, nobody))

    def sample(self, minute: float, peaks: dict[str, float]) -> dict[str, float]:
        """What is in use now, between two rounds."""
        own, children = os.getpid(), self.children()
        memory = sum(map(watching.resident, [own, *children])) / watching.MB
        now = {
            "minute": round(minute, 2),
            "own_mb": round(watching.resident(own) / watching.MB, 1),
            "rss_mb": round(memory, 1),
            "peak_mb": round(max(memory, peaks.get("all", 0.0) / watching.MB), 1),
            "descriptors": watching.descriptors(own),
            "threads": watching.threads(own),
            "connections": self.count("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"),
            "children": len(children),
            "leftovers": self.leftovers(),
            "held": self._held(),
            "orphans": self._orphans(),
            "rounds": self.rounds,
        }
        self.samples.append(now)
        return now

    def children(self) -> set[int]:
        """Processes started by this one, or that have a scratch folder of its parsers."""
        return (
            set(watching.descendants(os.getpid(), self.foreign)) | set(watching.naming(self.scratch))
        ) - self.foreign

    def leftovers(self) -> int:
        """Files and folders for work under way."""
        return _files(self.scratch, self.settings.home / "slips", self.settings.home / "pages")

    def _held(self) -> int:
        """Reservations, claims on texts and claims on documents that nobody needs between rounds."""
        return self.shop.database.fetch(
            """SELECT (SELECT count(*) FROM tvdb.requests WHERE state IN ('held', 'sent'))
                      + (SELECT count(*) FROM tvdb.embedding_claims)
                      + (SELECT count(*) FROM tvdb.documents WHERE claim_owner IS NOT NULL)"""
        )[0][0]

    def _orphans(self) -> int:
        """Artifacts no document that is there has a name for."""
        named = {
            version
            for document in registry.load(self.shop.database)
            if document.state != "deleted"
            for version in (*document.versions.values(), document.given_sha256)
        }
        kept = (file for file in (self.settings.home / "artifacts").rglob("*") if file.is_file())
        return sum(1 for file in kept if file.name not in named)

    def count(self, query: LiteralString) -> int:
        """The number a query gives."""
        return self.shop.database.fetch(query)[0][0]


def _files(*folders: Path) -> int:
    return sum(1 for folder in folders if folder.exists() for _ in folder.rglob("*"))


def run(state: Soak, minutes: float, every: float) -> None:
    """A round begun every so many seconds, for so many minutes; each sample is printed as it is taken."""
    own, started = os.getpid(), time.monotonic()
    interval, next_sample = min(60.0, minutes * 60 / SAMPLES), 0.0

    def memory() -> dict[str, float]:
        return {"all": float(sum(map(watching.resident, [own, *watching.descendants(own, state.foreign)])))}

    with watching.Peaks(memory, 1.0) as peaks:
        while (now := time.monotonic() - started) < minutes * 60:
            state.round()
            if now >= next_sample:
                next_sample += interval
                sample = state.sample((time.monotonic() - started) / 60, peaks.take())
                if len(state.samples) == 1:
                    print("  ".join(f"{name:>11}" for name in sample))
                print("  ".join(f"{value:>11g}" for value in sample.values()), flush=True)
            time.sleep(max(0.0, every - (time.monotonic() - started - now)))


@contextmanager
def _begun(folder: Path, server: ServerProcess) -> Generator[Soak]:
    os.environ.update(grounds.environment(folder, server.url))
    settings = load_settings()
    assert settings.database_url is not None
    scratch = folder / "scratch"
    scratch.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(scratch)
    database = Database(settings.database_url.get_secret_value()).open()
    foreign = frozenset(watching.descendants(os.getpid()))
    try:
        shop = build_workshop(settings, database, create_client(settings))
        with open_instance(settings, database.url) as instance:
            yield Soak(settings, shop, instance, Traffic(settings.upload_dir), scratch, foreign)
    finally:
        database.close()
        tempfile.tempdir = before


def faults_of(state: Soak, judged: list[Growth], bill_nano: int) -> list[str]:
    """The promises that were broken, in words; empty if all hold. Ends the parsers that are kept warm."""
    faults = [f"{growth.name} grew from {growth.early:g} to {growth.late:g}" for growth in judged if growth.grew]
    warm.end()
    left = {"children": len(state.children()), "leftovers": state.leftovers(), "held": int(state.samples[-1]["held"])}
    faults += [f"{name} at the end: {number}" for name, number in left.items() if number]
    # Of all days: it may have become midnight.
    spent = state.count("SELECT coalesce(sum(spent_nano), 0)::bigint FROM tvdb.dollar_windows")
    if spent != bill_nano:
        faults.append(f"the ledger says {spent}, the provider billed {bill_nano} nano-dollars")
    states = _states(state.shop.database)
    if set(states) - {"ready", "partial", "deleted"}:
        faults.append(f"documents are left {states}")
    return faults


def _states(database: Database) -> dict[str, int]:
    return dict(database.fetch("SELECT state, count(*) FROM tvdb.documents GROUP BY 1 ORDER BY 1"))  # pyright: ignore


def main() -> None:
    """Soak, print each sample and the verdict, keep the figures; exit code 1 where something grew or was left."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=FULL_MINUTES)
    arguments.add_argument("--every", type=float, default=4.0, help="seconds between the beginnings of two rounds")
    options = arguments.parse_args()
    with grounds.home() as folder, grounds.provider(folder, latency=0.05) as server, _begun(folder, server) as state:
        run(state, options.minutes, options.every)
        judged = judge(state.samples, MEMORY, COUNTS)
        faults = faults_of(state, judged, server.bill_nano)
        _report(options.minutes, state, judged, faults)
    sys.exit(1 if faults else 0)


def _an_hour(minutes: float, growth: Growth) -> float:
    """The growth between the middles of the two quarters, which lie half of the time apart, for an hour."""
    return round((growth.late - growth.early) / (minutes / 2) * 60, 1)


def _report(minutes: float, state: Soak, judged: list[Growth], faults: list[str]) -> None:
    figures = {
        "minutes": minutes,
        "rounds": state.rounds,
        "runs": state.runs,
        "documents": state.documents,
        "removed": state.removed,
        "acts": state.traffic.acts,
        "states": _states(state.shop.database),
        "medians": {growth.name: {"second_quarter": growth.early, "last_quarter": growth.late} for growth in judged},
        "own_mb_an_hour": _an_hour(minutes, judged[0]),
        "broken": faults,
        "samples": state.samples,
    }
    print()
    for growth in judged:
        print(f"  {growth.name:12} {growth.early:>9g} -> {growth.late:>9g}  {'GREW' if growth.grew else 'steady'}")
    print(f"  {state.rounds} rounds, {state.runs} runs, {state.documents} documents, acts {state.traffic.acts}")
    print(f"  the process itself grew by {figures['own_mb_an_hour']} MB an hour, by these medians")
    print("  " + ("; ".join(faults) if faults else "every promise holds"))
    if minutes >= FULL_MINUTES:
        recording.keep("soak", "make soak", figures)


if __name__ == "__main__":
    main()
