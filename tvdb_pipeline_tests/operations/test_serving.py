"""A whole deployment on one machine: `tvdb serve` in production, its checklist, a child that dies, a second daemon, the end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tvdb_pipeline_tests.operations.readiness.conftest import (  # noqa: F401 - fixtures
    KEY,
    Listener,
    as_administrator,
    listener,
    prepared_url,
    role,
)

TVDB = str(Path(sys.executable).with_name("tvdb"))
READY = '"event": "ready"'


@dataclass
class Deployment:
    """A supervisor, its environment, and what it has said so far."""

    variables: dict[str, str]
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def said(self, pattern: str) -> str:
        """Wait for a line."""
        return eventually(lambda: next((line for line in list(self.lines) if re.search(pattern, line)), None), self)

    def children(self) -> dict[int, str]:
        """Process ids of the supervisor's children with their command lines."""
        found: dict[int, str] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
                line = (stat.parent / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                found[int(stat.parent.name)] = line
        return found

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TVDB, *arguments], env=self.variables, capture_output=True, text=True, timeout=120, check=False
        )


def eventually(answer: Callable[[], Any], deployment: Deployment, seconds: float = 240.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < deadline, deployment.lines[-20:]
        time.sleep(0.05)
    return found


def free_ports(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def deployment(
    prepared_url: str,  # noqa: F811
    listener: Listener,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """`tvdb serve` on free ports against a database of its own, ended with SIGTERM if no test has done so."""
    folder = tmp_path_factory.mktemp("deployment")
    webserver, code_server, metrics = free_ports(3)
    variables = {
        **os.environ,
        "TVDB_ENV": "production",
        "TVDB_HOME": str(folder / "home"),
        "TVDB_UPLOAD_DIR": str(folder / "uploads"),
        "TVDB_BACKUP_DIR": str(folder / "backups"),
        "TVDB_DATABASE_URL": prepared_url,
        "TVDB_PROVIDER_AGREEMENT": "synthetic",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": listener.provider,
        "TVDB_WEBSERVER_PORT": webserver,
        "TVDB_CODE_SERVER_PORT": code_server,
        "TVDB_METRICS_PORT": metrics,
        "TVDB_ALERT_WEBHOOK_URL": listener.alerts,
        "TVDB_PARSE_WORKERS": "1",
        "TVDB_SENSOR_INTERVAL_SECONDS": "1",
    }
    with psycopg.connect(as_administrator(prepared_url), autocommit=True) as conn:
        for kind in ("backup", "drill"):
            conn.execute(
                "INSERT INTO tvdb.safekeeping (kind, at, passed, figures) VALUES (%s, now(), true, '{}')", (kind,)
            )
    process = subprocess.Popen([TVDB, "serve"], env=variables, stderr=subprocess.PIPE, text=True)
    found = Deployment(variables, process)
    listening = threading.Thread(target=found.listen, daemon=True)
    listening.start()
    yield found
    if process.poll() is None:
        process.terminate()
    process.wait(60)
    listening.join(10)


def test_it_says_when_every_part_answers_and_then_the_whole_checklist_is_green(deployment: Deployment) -> None:
    # Outside development it tells a journal.
    assert json.loads(deployment.said(READY))["count"] == 5

    def green() -> Any:
        done = deployment.run("doctor", "--json")
        rows = json.loads(done.stdout)["findings"]
        failed = [row for row in rows if not row["passed"]]
        # Sensors look for the first time a moment after the daemon has told of itself.
        return (done.returncode, rows) if not any("sensor" in row["name"] for row in failed) else None

    code, rows = eventually(green, deployment)
    assert [row for row in rows if not row["passed"]] == []
    assert code == 0
    areas = {row["area"] for row in rows}
    assert {
        "database",
        "limits",
        "provider",
        "parsing",
        "machine",
        "dagster",
        "alerts",
        "safekeeping",
        "versions",
    } <= areas
    assert {row["name"] for row in rows if not row["needed"]} == {"encrypted"}


def test_no_secret_stands_on_a_command_line(deployment: Deployment) -> None:
    deployment.said(READY)
    lines = " ".join(deployment.children().values())
    assert "dagster-webserver" in lines
    assert not [secret for secret in (KEY, deployment.variables["TVDB_DATABASE_URL"]) if secret in lines]


def test_nothing_was_bought(deployment: Deployment, listener: Listener) -> None:  # noqa: F811
    assert not [path for method, path in listener.asked if method == "POST" and path.startswith("/v1")]


def test_a_second_daemon_on_the_same_database_is_refused(deployment: Deployment) -> None:
    deployment.said(READY)
    second = deployment.run("serve", "--only", "daemon")
    assert second.returncode == 1
    assert "Another daemon works on this database" in second.stderr


def test_a_second_deployment_on_the_same_ports_is_refused_in_one_sentence(deployment: Deployment) -> None:
    deployment.said(READY)
    second = deployment.run("serve")
    assert second.returncode == 1
    assert len(second.stderr.strip().splitlines()) == 1
    assert "code-server" in second.stderr


def test_a_webserver_that_is_killed_comes_back(deployment: Deployment) -> None:
    deployment.said(READY)
    [pid] = [pid for pid, line in deployment.children().items() if "dagster-webserver" in line]
    os.kill(pid, signal.SIGKILL)
    died = json.loads(deployment.said('"event": "part_died", "part": "webserver"'))
    assert (died["signal"], died["seconds"]) == ("SIGKILL", 1.0)
    eventually(lambda: any("dagster-webserver" in line for line in deployment.children().values()), deployment)


def test_it_ends_in_order_and_leaves_nothing_behind(deployment: Deployment) -> None:
    deployment.said(READY)
    children = list(deployment.children())
    assert len(children) == 6, "five parts and the guard"
    deployment.process.terminate()
    assert deployment.process.wait(90) == 0, deployment.lines[-20:]
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
