"""Run it: `python -m benchmarks.chaos [--documents N] [--kills N] [--seed N]` (`make chaos`).

Belongs here: the order of things. Does not: killing (`parts`), or what must come of it (`promises`).

`tvdb serve` runs against a PostgreSQL of its own, as in production, with a fake provider and a webhook. Documents arrive in the
upload folder throughout. At random moments a part is killed (SIGKILL): the daemon, the code server, a run's worker, the database.
The supervisor starts its parts again; the database is started again here, once its outage was told, as its service would do.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from benchmarks import grounds, recording
from benchmarks.chaos import parts, promises
from benchmarks.chaos.promises import Outage
from benchmarks.chaos.receiver import Message, receiver
from benchmarks.load.documents import OTHERS, drawn
from tvdb_pipeline_tests.fake_openai.process import ServerProcess

LEAST_KILLS, KILLING_SECONDS, MOST_SECONDS = 60, 840.0, 1200.0
"""Kills end early enough for everything to come to rest."""
_PAUSE_SECONDS = (1.0, 5.0)
"""Between the end of one outage and the next kill."""
_TOLD_WITHIN_SECONDS = 60.0


def main() -> None:
    """Print what was done and what broke; exit code 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--kills", type=int, default=LEAST_KILLS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--out", type=Path, default=recording.DATA, help="folder of the record")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with (
        grounds.home() as home,
        receiver() as (webhook, messages),
        ServerProcess(home / "charges.jsonl", 0.2, cheap_vectors=True) as provider,
    ):
        chaos = Chaos(home, messages, random.Random(options.seed))
        figures = chaos.run(provider, webhook, options.documents, options.kills)
    for name, value in figures.items():
        print(f"{name:28} {value}")
    recording.keep("chaos", "make chaos", {"seed": options.seed, **figures}, options.out)
    sys.exit(1 if figures["broken"] else 0)


class Chaos:
    """One deployment and what was done to it."""

    def __init__(self, home: Path, messages: list[Message], draw: random.Random) -> None:
        self._home, self._messages, self._draw = home, messages, draw
        self._outages: list[Outage] = []
        self._written: set[str] = set()

    def run(self, provider: ServerProcess, webhook: str, documents: int, kills: int) -> dict[str, Any]:
        """Figures, and under `broken` the promises that were."""
        started = time.monotonic()
        environment = _environment(self._home, provider.url, webhook)
        with (self._home / "serve.log").open("wb") as log:
            supervisor = _serve(environment, log)
            try:
                self._wait(lambda: bool(parts.find("daemon", supervisor.pid, self._home)), 120)
                self._kill_while_documents_arrive(supervisor, documents, kills, started)
                settled = self._settle(environment, documents, started)
            finally:
                supervisor.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    supervisor.wait(60)
                supervisor.kill()
            left = list(parts.find("daemon", supervisor.pid, self._home))
        ended = promises.count(environment, self._outages, self._messages, self._written, provider)
        return {
            "documents": len(self._written),
            "kills": dict(Counter(outage.part for outage in self._outages)),
            "seconds": round(time.monotonic() - started, 1),
            "seconds_to_settle": round(settled, 1),
            **ended.figures,
            "broken": [
                *ended.broken,
                *([f"{len(left)} processes left behind"] if left else []),
                *([f"only {len(self._outages)} kills fitted into the time"] if len(self._outages) < kills else []),
            ],
        }

    def _kill_while_documents_arrive(
        self, supervisor: subprocess.Popen[bytes], documents: int, kills: int, started: float
    ) -> None:
        uploads = self._home / "uploads"
        while (len(self._outages) < kills or len(self._written) < documents) and (
            time.monotonic() - started < KILLING_SECONDS
        ):
            self._write(uploads, documents, len(self._outages) / kills)
            if len(self._outages) < kills:
                self._outage(supervisor)
            time.sleep(self._draw.uniform(*_PAUSE_SECONDS))

    def _outage(self, supervisor: subprocess.Popen[bytes]) -> None:
        present = {part: parts.find(part, supervisor.pid, self._home) for part in parts.PARTS}
        chosen: parts.Part = self._draw.choice([part for part in parts.PARTS if present[part]])
        pid = self._draw.choice(present[chosen])
        at = time.time()
        if not parts.kill(pid):
            return
        outage = Outage(chosen, pid, at)
        self._outages.append(outage)
        if chosen == "database":
            self._wait(lambda: outage.told(self._messages), _TOLD_WITHIN_SECONDS)
            self._wait(lambda: grounds.database_starts(self._home), _TOLD_WITHIN_SECONDS)
        if chosen != "run-worker":
            self._wait(lambda: outage.over(self._messages), _TOLD_WITHIN_SECONDS)
        outage.ended = time.time()
        print(f"{len(self._outages):3} {chosen:12} {outage.ended - at:5.1f} s", flush=True)

    def _write(self, uploads: Path, documents: int, share: float) -> None:
        """Let as many documents arrive as are due at this share of the kills."""
        due = min(documents, round(documents * share) + 4)
        for number in range(len(self._written), due):
            name, data = _document(number)
            partial = uploads / f"{name}.part"
            partial.write_bytes(data)
            partial.rename(uploads / name)
            self._written.add(name)

    def _settle(self, environment: dict[str, str], documents: int, started: float) -> float:
        """Wait until nothing is under way and no outage is told any more; the seconds it took."""
        self._write(self._home / "uploads", documents, 1.0)
        begun = time.monotonic()
        self._wait(lambda: promises.at_rest(environment, self._written), MOST_SECONDS - (begun - started))
        return time.monotonic() - begun

    def _wait(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            time.sleep(0.25)


def _document(number: int) -> tuple[str, bytes]:
    if number % 50 == 17:
        return f"{number:03}-empty.pdf", b""
    if number % 50 == 34:
        return f"{number:03}-torn.pdf", drawn(1, seed=number)[:300]
    if number % 10 == 9:
        name = OTHERS[number // 10 % len(OTHERS)]
        return f"{number:03}-{name}", (grounds.EXAMPLES / name).read_bytes()
    return f"{number:03}.pdf", drawn(1 + number % 4, seed=5000 + number)


def _environment(home: Path, provider_url: str, webhook: str) -> dict[str, str]:
    """A deployment that notices soon: short leases, intervals and windows."""
    ports = {name: str(_free_port()) for name in ("WEBSERVER_PORT", "CODE_SERVER_PORT", "METRICS_PORT")}
    # Its home is not the database's: that server is somebody else's, as in production, and started by nobody but us.
    return grounds.environment(home, provider_url) | {
        "TVDB_HOME": str(home / "tvdb"),
        "TVDB_ALERT_WEBHOOK_URL": webhook,
        "TVDB_ALERT_INTERVAL_SECONDS": "1",
        "TVDB_SENSOR_INTERVAL_SECONDS": "5",
        "TVDB_CLAIM_LEASE_SECONDS": "8",
        "TVDB_RESERVATION_LEASE_SECONDS": "8",
        "TVDB_REQUEST_TIMEOUT_SECONDS": "5",
        "TVDB_DOCUMENTS_PER_RUN": "20",
        "TVDB_PARSE_WORKERS": "1",
        **{f"TVDB_{name}": port for name, port in ports.items()},
    }


def _serve(environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("tvdb")), "serve"]
    return subprocess.Popen(
        command, env=os.environ | environment, stdout=log, stderr=log, cwd=grounds.ROOT, start_new_session=True
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
