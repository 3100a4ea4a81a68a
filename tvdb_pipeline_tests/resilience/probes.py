"""Many processes meet a provider that is down: one probe at a time, and everyone goes on once it is back.

Belongs here: `make probes`. Does not: the breaker's rules one by one (`embedding`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import Limits, Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.attempts import Attempts, Patience
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import Wanted, text_hash
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, server_error
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

MODEL = "text-embedding-3-small"
POLICY = BreakerPolicy(threshold=5, cooldown=1.5, longest=2.0, probe_lease=20.0)
LATENCY = 0.2
PROCESSES = 16
_MOST_SECONDS = 60.0
"""So long anything is waited for."""
_LONG = Windows(requests=3600, dollars=86_400, held_lease=60, sent_lease=60, send_within=30)


@dataclass
class Figures:
    """probes: requests while the breaker was not closed; together: most of them in flight at once; idle_processes: those that
    got no answer after the recovery; recovery_seconds: from the provider's return until the breaker closed; longest_seconds:
    the longest cool-down and one probe, within which it should."""

    processes: int
    probes: int
    together: int
    idle_processes: int
    recovery_seconds: float
    longest_seconds: float


def hammer(database_url: str, url: str, folder: str, number: int, stop: Event) -> None:
    """Ask for new texts until told to stop, whatever the answer."""
    database = Database(database_url, size=2).open()
    client = OpenAIClient(MODEL, "sk-probes", url, timeout=20)
    breaker = Breaker(database, client.subject, POLICY)
    ledger = Ledger(database, Limits(10**15, 10**9, 10**15, retry_share=1.0), _LONG)
    attempts = Attempts(client, ledger, breaker, database, Slips(Path(folder)), Patience(0.02, 0.1))
    count = 0
    while not stop.is_set():
        count += 1
        text = f"Clause {count} of process {number}."
        try:
            attempts.make([Wanted(text, text_hash(text), 8, None)], "documents", "probes")
        except ProviderError:
            time.sleep(0.01)
    database.close()


def run(database_url: str, processes: int, down_seconds: float, up_seconds: float) -> Figures:
    """Hammer a provider that is down for a while and then back, for `up_seconds` after the breaker closed.

    All of it counts from what happened, not from the start: how long processes take to begin is the machine's affair.
    """
    back: list[float] = []

    def script(_: Arrival) -> Fault | None:
        if back:
            return None
        return server_error()

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "openai", "httpx2"])
    with FakeOpenAI(latency=LATENCY, script=script) as provider, tempfile.TemporaryDirectory() as folder:
        stop = context.Event()
        workers = [
            context.Process(target=hammer, args=(database_url, provider.url, folder, number, stop))
            for number in range(processes)
        ]
        for worker in workers:
            worker.start()
        database = Database(database_url, size=1).open()
        breaker = Breaker(database, OpenAIClient(MODEL, "sk-probes", provider.url, 20).subject, POLICY)
        _wait(lambda: breaker.state().state != "closed")
        tripped = _changed_at(database)
        time.sleep(down_seconds)
        back.append(time.time())
        _wait(lambda: breaker.state().state == "closed")
        closed = _changed_at(database)
        time.sleep(up_seconds)
        stop.set()
        for worker in workers:
            worker.join()
        database.close()
        # What was on its way when it tripped is no probe, and none is let through before the first cool-down is over.
        probes = [entry for entry in provider.log if tripped + 0.9 * POLICY.cooldown < entry.arrived < closed]
        spans = sorted((entry.arrived, entry.answered or entry.arrived) for entry in probes)
        together = max((sum(1 for a, b in spans if a <= start < b) for start, _ in spans), default=0)
        served = sum(1 for entry in provider.log if entry.arrived > closed and entry.charged)
    return Figures(
        processes=processes,
        probes=len(probes),
        together=together,
        idle_processes=max(0, processes - served),
        recovery_seconds=closed - back[0],
        longest_seconds=POLICY.longest + 2 * LATENCY,
    )


def _wait(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + _MOST_SECONDS
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)


def _changed_at(database: Database) -> float:
    """When the breaker's state changed last, in seconds since 1970, by the clock all processes share."""
    return float(database.fetch("SELECT extract(epoch FROM changed_at) FROM tvdb.breaker")[0][0])


def main() -> None:
    """Run at full size, print the figures and keep them; exit code 1 where a promise is broken."""
    from benchmarks import recording
    from tvdb_pipeline.database.server import start_server, stop_server

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--processes", type=int, default=PROCESSES)
    processes = arguments.parse_args().processes
    with tempfile.TemporaryDirectory(prefix="tvdb-probes-") as name:
        home = Path(name)
        try:
            figures = run(start_server(home, leave_running=True), processes, down_seconds=10.0, up_seconds=5.0)
        finally:
            stop_server(home)
    for field, value in vars(figures).items():
        print(f"  {field:20} {value:,.2f}" if isinstance(value, float) else f"  {field:20} {value:,}")
    if processes == PROCESSES:
        recording.keep("probes", "make probes", vars(figures))
    sys.exit(0 if figures.together == 1 and figures.idle_processes == 0 else 1)


if __name__ == "__main__":
    main()
