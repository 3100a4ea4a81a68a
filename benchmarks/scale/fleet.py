"""A cluster on this machine: a Ray head, workers with homes of their own, uploads and artifacts in object storage.

Belongs here: starting it, finding and killing a worker, ending it. Does not: measuring.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, LiteralString

import boto3
import psycopg

from benchmarks import grounds
from tvdb_pipeline.operations.serving.cluster import scratch
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.process import ServerProcess

BUCKET = "documents"
UPLOADS = f"s3://{BUCKET}/uploads"
_SECONDS_TO_START = 180.0


@dataclass
class Fleet:
    """home: of everything; environment: of every process; provider: with its bill; storage_port: of the S3 server."""

    home: Path
    environment: dict[str, str]
    provider: ServerProcess
    storage_port: int
    storage: subprocess.Popen[bytes]

    @contextmanager
    def storage_away(self) -> Generator[None]:
        """Nobody answers at the address of the storage; what it holds stays."""
        self.storage.send_signal(signal.SIGUSR1)
        try:
            yield
        finally:
            self.storage.send_signal(signal.SIGUSR2)

    @property
    def head_port(self) -> str:
        """Where the head listens."""
        return self.environment["TVDB_RAY_HEAD"].partition(":")[2]

    def upload(self, name: str, content: bytes) -> None:
        """Put a document into the uploads."""
        self._client.put_object(Bucket=BUCKET, Key=f"uploads/{name}", Body=content)

    @property
    def _client(self) -> Any:
        if not hasattr(self, "_made"):
            self._made = boto3.client(  # pyright: ignore[reportUnknownMemberType]
                "s3", endpoint_url=f"http://127.0.0.1:{self.storage_port}", region_name="us-east-1",
                aws_access_key_id="testing", aws_secret_access_key="testing",
            )  # fmt: skip
        return self._made

    def ask(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with psycopg.connect(self.environment["TVDB_DATABASE_URL"]) as conn:
            return conn.execute(query, values).fetchall()

    def states(self) -> dict[str, int]:
        """How many documents are in each state; none before the schema is there."""
        if self.ask("SELECT to_regclass('tvdb.documents') IS NULL")[0][0]:
            return {}
        return {row[0]: row[1] for row in self.ask("SELECT state, count(*) FROM tvdb.documents GROUP BY 1")}

    def wait(self, done: Callable[[], bool], seconds: float, every: float = 0.5) -> bool:
        """Whether it came true in time."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(every)
        return True

    @contextmanager
    def serving(self, workers: int) -> Generator[subprocess.Popen[bytes]]:
        """`tvdb serve` with so many workers; ended with all it started."""
        with (self.home / "serve.log").open("ab") as log:
            process = _started(("tvdb", "serve", "--workers", str(workers)), os.environ | self.environment, log)
            try:
                yield process
            finally:
                _ended(process)
                for pid in running_in(self.home):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    @contextmanager
    def pinned_worker(self, number: int, core: int) -> Generator[None]:
        """One more worker, on one core alone."""
        own = {"TVDB_HOME": str(self.home / "pinned" / str(number)), "TVDB_RAY_WORKER_ADDRESS": f"127.0.0.{20 + number}"}
        with (self.home / f"worker-{number}.log").open("ab") as log:
            command = ("taskset", "-c", str(core), program("tvdb"), "serve", "--only", "ray-worker")
            process = _started(command, os.environ | self.environment | own, log)
            try:
                yield
            finally:
                _ended(process)

    def head_listens(self) -> bool:
        """Whether workers can reach the head."""
        host, _, port = self.environment["TVDB_RAY_HEAD"].partition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return True
        return False

    def nodes(self) -> int:
        """Workers the head knows to be alive."""
        code = "import ray, sys; ray.init(sys.argv[1], logging_level='ERROR', log_to_driver=False); "
        code += "print(sum(n['Alive'] and n['Resources'].get('CPU', 0) > 0 for n in ray.nodes()))"
        done = subprocess.run(
            [sys.executable, "-c", code, self.environment["TVDB_RAY_HEAD"]],
            capture_output=True, text=True, check=False, env=os.environ | self.environment, timeout=60,
        )  # fmt: skip
        return int(done.stdout.split()[-1]) if done.returncode == 0 and done.stdout.split() else 0


@contextmanager
def fleet(changes: Mapping[str, str] | None = None, latency: float = 0.2) -> Generator[Fleet]:
    """A place for a cluster: database, provider and object storage run, nothing of ours does yet.

    changes: settings by name; latency: seconds of a request to the provider.
    """
    with grounds.home() as home, ServerProcess(home / "charges.jsonl", latency, cheap_vectors=True) as provider:
        port = free_port()
        storage = subprocess.Popen(
            [sys.executable, "-m", "tvdb_pipeline_tests.object_store", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=grounds.ROOT,
        )  # fmt: skip
        try:
            assert storage.stdout is not None
            storage.stdout.readline()
            environment = _environment(home, provider.url, port) | dict(changes or {})
            yield Fleet(home, environment, provider, port, storage)
        finally:
            storage.kill()
            storage.wait()
            for pid in running_in(home):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            # Ray's sockets and logs, which it leaves where they were.
            shutil.rmtree(scratch(Settings(home=home / "tvdb")), ignore_errors=True)  # pyright: ignore[reportCallIssue]


def running_in(home: Path) -> Iterator[int]:
    """Processes whose TVDB_HOME is this folder or one below it; the database's are not."""
    wanted = f"TVDB_HOME={home}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            with suppress(OSError):
                for entry in (folder / "environ").read_bytes().split(b"\0"):
                    if entry == wanted or entry.startswith(wanted + b"/"):
                        yield int(folder.name)


def kill_worker(home: Path) -> int:
    """Kill everything that runs in the home of one worker at once, as a machine that loses its power; how many processes."""
    killed = 0
    while pids := list(running_in(home)):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        time.sleep(0.1)
        if killed > 10_000:
            break
    return killed


def program(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).with_name(name))


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _environment(home: Path, provider_url: str, storage_port: int) -> dict[str, str]:
    ports = {name: str(free_port()) for name in ("WEBSERVER_PORT", "CODE_SERVER_PORT", "METRICS_PORT")}
    return grounds.environment(home, provider_url) | {
        "TVDB_HOME": str(home / "tvdb"),
        "TVDB_UPLOAD_URL": UPLOADS,
        "TVDB_ARTIFACT_URL": f"s3://{BUCKET}/artifacts",
        "TVDB_STORAGE_ALLOW_HTTP": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{storage_port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        # As a service has it: nothing of ours is found by its name.
        "PATH": os.defpath,
        "TVDB_RUN_LAUNCHER": "ray",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "TVDB_CONCURRENT_RUNS": "2",
        "TVDB_RAY_HEAD": f"127.0.0.2:{free_port()}",
        "TVDB_RAY_ADDRESS": f"http://127.0.0.1:{free_port()}",
        "TVDB_SENSOR_INTERVAL_SECONDS": "5",
        "TVDB_CLAIM_LEASE_SECONDS": "8",
        "TVDB_RESERVATION_LEASE_SECONDS": "8",
        "TVDB_REQUEST_TIMEOUT_SECONDS": "5",
        "TVDB_PARSE_WORKERS": "1",
        **{f"TVDB_{name}": port for name, port in ports.items()},
    }


def _started(command: tuple[str, ...], environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [program(command[0]) if command[0] == "tvdb" else command[0], *command[1:]],
        env=environment, stdout=log, stderr=log, cwd=grounds.ROOT, start_new_session=True,
    )  # fmt: skip


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
