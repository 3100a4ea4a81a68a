"""Many processes spend at once, and are killed at random, while limits hold.

Belongs here: `make storm`. Does not: what a single reservation does (`budget`). Two phases:

calm: the processes spend one dollar window to its end. The ledger must equal the provider's log to the token, and the window
must be used up but for less than the smallest order.
kills: rolling request windows and several dollar windows, while processes are killed (SIGKILL) and replaced. The provider must
never see more requests than the limit in any rolling window, nor bill more than the limit for any dollar window; the ledger must
never be below its bill; two leases later nothing may be held.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2  # noqa: F401  (loaded before the processes are forked, as the next one is)
import openai  # noqa: F401

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import BudgetRefused, Limits, ReservationLapsed, Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.attempts import Attempts, Patience
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import Wanted, text_hash
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline_tests.fake_openai.charges import NANO_DOLLARS_A_TOKEN
from tvdb_pipeline_tests.fake_openai.process import ServerProcess
from tvdb_pipeline_tests.resilience.storm_figures import Figures, compare, faults_of

MODEL = "text-embedding-3-small"
TOKENS_A_TEXT, MOST_TEXTS = 9, 4
SMALLEST_NANO = TOKENS_A_TEXT * NANO_DOLLARS_A_TOKEN
_NEVER_OPENS = BreakerPolicy(threshold=10**9)
"""Processes that share two cores are slow to answer: what is tried here is the ledger."""
_WORDS = ("hail", "roof", "flood", "claim", "policy", "limit", "premium", "water")


@dataclass(frozen=True)
class Plan:
    """Sizes of a storm. window_seconds: of the rolling request window; dollars_seconds: of a dollar window."""

    processes: int
    attempts: int
    admitted: int
    kills: int
    window_seconds: float
    window_requests: int
    dollars_seconds: float
    lease_seconds: float = 3.0
    latency: float = 0.02
    most_seconds: float = 900.0


FULL = Plan(32, 100_000, 10_000, 500, 10.0, 400, 60.0, lease_seconds=9.0)
SMALL = Plan(8, 2_000, 200, 10, 2.0, 60, 10.0, lease_seconds=1.5)


def calm(plan: Plan) -> Plan:
    """The same without kills: one dollar window, and leases nobody outlives."""
    return replace(plan, dollars_seconds=1e9, lease_seconds=60.0)


class _Counts:
    """Attempts and admissions of each process, in memory that outlives a kill."""

    def __init__(self, slots: int) -> None:
        self._memory = mmap.mmap(-1, slots * 16)
        self._slots = slots

    def add(self, slot: int, place: int) -> None:
        at = slot * 16 + place * 8
        struct.pack_into("q", self._memory, at, struct.unpack_from("q", self._memory, at)[0] + 1)

    def total(self, place: int) -> int:
        return sum(struct.unpack_from("q", self._memory, slot * 16 + place * 8)[0] for slot in range(self._slots))


def run_phase(plan: Plan, database_url: str, folder: Path, limits: Limits, *, kills: bool) -> Figures:
    """One phase on a database of its own."""
    folder.mkdir(parents=True)
    lengths = Windows(
        plan.window_seconds, plan.dollars_seconds, plan.lease_seconds, plan.lease_seconds, plan.lease_seconds / 3
    )
    counts, killed, started = _Counts(plan.processes), 0, time.monotonic()
    with ServerProcess(folder / "log.jsonl", latency=plan.latency) as server:

        def work(slot: int) -> None:
            _spend(_attempts(database_url, server.url, folder, limits, lengths), counts, slot, until_refused=not kills)

        workers = {_fork(work, slot): slot for slot in range(plan.processes)}
        chance = random.Random(7)
        while workers and time.monotonic() - started < plan.most_seconds:
            if kills and killed >= plan.kills and _enough(plan, counts):
                break
            if kills and killed < plan.kills:
                victim = chance.choice(list(workers))
                os.kill(victim, signal.SIGKILL)
                os.waitpid(victim, 0)
                slot = workers.pop(victim)
                workers[_fork(work, slot)] = slot
                killed += 1
                time.sleep(chance.uniform(0, 0.05))
            else:
                time.sleep(0.05)
            for pid in [pid for pid in workers if os.waitpid(pid, os.WNOHANG)[0]]:
                del workers[pid]
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        seconds = time.monotonic() - started
        killed += len(workers)
        if killed:
            time.sleep(2 * plan.lease_seconds)
        attempts = _attempts(database_url, server.url, folder, limits, lengths)
        database = attempts.database
        try:
            # As any process does when it begins.
            EmbeddingService(attempts.client, attempts.ledger, database, attempts.breaker, attempts.slips).recover()
            return compare(
                database, server.entries(), limits, plan.window_seconds,
                attempts=counts.total(0), kills=killed, seconds=seconds,
            )  # fmt: skip
        finally:
            database.close()


def _enough(plan: Plan, counts: _Counts) -> bool:
    return counts.total(0) >= plan.attempts and counts.total(1) >= plan.admitted


def _fork(work: Callable[[int], None], slot: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work(slot)
        finally:
            os._exit(0)
    return pid


def _attempts(database_url: str, url: str, folder: Path, limits: Limits, lengths: Windows) -> Attempts:
    database = Database(database_url, size=2).open()
    client = OpenAIClient(MODEL, "sk-storm", url, timeout=lengths.sent_lease / 3)
    ledger, breaker = Ledger(database, limits, lengths), Breaker(database, client.subject, _NEVER_OPENS)
    return Attempts(client, ledger, breaker, database, Slips(folder / "slips"), Patience(0.05, 1.0))


def _spend(attempts: Attempts, counts: _Counts, slot: int, *, until_refused: bool) -> None:
    """Ask for new texts without end, or until even the smallest order is refused."""
    chance = random.Random(os.getpid())
    most = MOST_TEXTS
    while True:
        request = [_text(chance) for _ in range(chance.randint(1, most))]
        counts.add(slot, 0)
        try:
            attempts.make(request, "documents", "storm")
            counts.add(slot, 1)
        except BudgetRefused:
            if until_refused and most == 1:
                return
            most = 1 if until_refused else most
            time.sleep(chance.uniform(0, 0.05))
        except (ProviderError, ReservationLapsed):
            time.sleep(0.01)


def _text(chance: random.Random) -> Wanted:
    """A text nobody else has, of exactly TOKENS_A_TEXT tokens."""
    from tvdb_pipeline.chunking.tokens import count_tokens

    while True:
        text = " ".join([*(chance.choice(_WORDS) for _ in range(4)), str(chance.randrange(10**12))])
        if count_tokens(text) == TOKENS_A_TEXT:
            return Wanted(text, text_hash(text), TOKENS_A_TEXT, f"doc-{chance.randrange(5000)}")


def calm_limits(plan: Plan) -> Limits:
    """One dollar window that takes about as many requests as are to be admitted, and nothing else in the way."""
    return Limits(plan.admitted * SMALLEST_NANO * 2, 10**9, 10**15)


def kill_limits(plan: Plan) -> Limits:
    """Both windows bind: a dollar window is used up before its time is over."""
    requests_a_window = plan.window_requests / plan.window_seconds * plan.dollars_seconds
    return Limits(int(requests_a_window * SMALLEST_NANO * 2), plan.window_requests, 10**15)


@contextmanager
def _server() -> Iterator[tuple[str, Path]]:
    """An embedded PostgreSQL of our own and a folder, both gone afterwards."""
    from tvdb_pipeline.database.server import start_server, stop_server

    with tempfile.TemporaryDirectory(prefix="tvdb-storm-") as folder:
        home = Path(folder) / "home"
        try:
            yield start_server(home, leave_running=True), Path(folder)
        finally:
            stop_server(home)


def _fresh(url: str, name: str) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")  # pyright: ignore[reportArgumentType,reportCallIssue]
    fresh = url.replace("/postgres?", f"/{name}?", 1)
    Database(fresh).open().close()
    return fresh


def main() -> None:
    """Run both phases, print their figures and keep those of the full size; exit code 1 where a promise is broken."""
    from benchmarks import recording

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--small", action="store_true", help="the size that the test suite runs")
    plan = SMALL if arguments.parse_args().small else FULL
    broken: list[str] = []
    phases: dict[str, dict[str, int | float]] = {}
    with _server() as (url, folder):
        for kills in (False, True):
            phase = "kills" if kills else "calm"
            limits = kill_limits(plan) if kills else calm_limits(plan)
            sized = plan if kills else calm(plan)
            figures = run_phase(sized, _fresh(url, phase), folder / phase, limits, kills=kills)
            print(f"\n{phase}: {plan.processes} processes")
            for name, value in vars(figures).items():
                print(f"  {name:20} {value:,.4f}" if isinstance(value, float) else f"  {name:20} {value:,}")
            faults = faults_of(figures, kills=kills)
            print("  " + ("; ".join(faults) if faults else "every promise holds"))
            broken += [f"{phase}: {fault}" for fault in faults]
            phases[phase] = vars(figures)
    if plan is FULL:
        recording.keep("storm", "make storm", {"processes": plan.processes, **phases, "broken": broken})
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
