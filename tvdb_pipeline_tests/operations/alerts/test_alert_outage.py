"""The database goes and comes back: both are told, once, and the story stands in it afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from tvdb_pipeline.database.server import is_running, stop_server
from tvdb_pipeline.operations.alerts import rules_of_servers
from tvdb_pipeline.operations.alerts.rounds import Watcher
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.operations.alerts.conftest import Receiver


class Server:
    """A database server of the test's own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = self.start()

    def kill(self) -> None:
        """As a machine that loses power kills it."""
        pid = int((self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        _until(lambda: not Path(f"/proc/{pid}").exists() or not is_running(self.home))

    def start(self) -> str:
        """In a process of its own: one that started a server once takes it for running ever after."""
        code = "import sys; from pathlib import Path; from tvdb_pipeline.database.server import start_server\n"
        code += "print(start_server(Path(sys.argv[1]), leave_running=True))"
        done = subprocess.run([sys.executable, "-c", code, str(self.home)], capture_output=True, text=True, check=True)
        return done.stdout.strip()


def _until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    home = Path(tempfile.mkdtemp(prefix="tvdb-outage-"))
    try:
        yield Server(home)
    finally:
        stop_server(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def outage_settings(server: Server, receiver: Receiver, tmp_path: Path) -> Settings:
    (tmp_path / "uploads").mkdir()
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA IF EXISTS tvdb CASCADE")
    return Settings(
        home=tmp_path / "home", upload_dir=tmp_path / "uploads", database_url=SecretStr(server.url), service_mode="MOCK",
        alert_webhook_url=SecretStr(receiver.url),
    )  # pyright: ignore[reportCallIssue]  # fmt: skip


def kept(server: Server) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url) as conn:
        return conn.execute(
            """SELECT name, sent_at BETWEEN since AND resolved_at, resolved_at > since FROM tvdb.alerts
               WHERE name IN ('database_unreachable', 'disk_short') ORDER BY since"""
        ).fetchall()


def test_an_outage_and_its_end_are_told_once_and_written_down(
    outage_settings: Settings, server: Server, receiver: Receiver
) -> None:
    one, other = Watcher(outage_settings), Watcher(outage_settings)
    one.round()
    other.round()
    server.kill()
    assert one.round().outage
    one.round()
    server.start()
    other.round()
    for watcher in (one, other, one, other):
        watcher.round()
    assert receiver.named("database_unreachable") == [
        "[tvdb development] CRITICAL database_unreachable",
        "[tvdb development] OVER database_unreachable",
    ]
    assert kept(server) == [("database_unreachable", True, True)]


def test_an_outage_seen_by_several_is_written_down_as_one_and_its_end_is_told_once(
    outage_settings: Settings, server: Server, receiver: Receiver
) -> None:
    watchers = [Watcher(outage_settings) for _ in range(2)]
    server.kill()
    for watcher in watchers:
        watcher.round()
    server.start()
    for watcher in watchers * 2:
        watcher.round()
    ended = [head for head in receiver.named("database_unreachable") if "OVER" in head]
    assert len(ended) == 1
    assert kept(server) == [("database_unreachable", True, True)]


def test_an_outage_that_could_not_be_told_is_told_in_a_later_round(
    outage_settings: Settings, server: Server, receiver: Receiver
) -> None:
    watcher = Watcher(outage_settings)
    server.kill()
    receiver.status = lambda _: 503
    assert watcher.round().unsent == 1
    receiver.status = lambda _: 200
    assert watcher.round().sent == 1
    server.start()
    watcher.round()
    assert len(receiver.named("database_unreachable")) == 2


def test_what_begins_and_ends_on_the_machine_meanwhile_is_told_and_written_down(
    outage_settings: Settings, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules_of_servers, "DISK_FREE", ((0, "critical"),))
    watcher = Watcher(outage_settings)
    watcher.round()
    server.kill()
    watcher.round()
    for enough in (1 << 60, 0):
        monkeypatch.setattr(rules_of_servers, "DISK_FREE", ((enough, "critical"),))
        watcher.round()
    server.start()
    watcher.round()
    watcher.round()
    assert [head.split()[2] for head in receiver.named("disk_short")] == ["CRITICAL", "OVER"]
    assert sorted(kept(server)) == [("database_unreachable", True, True), ("disk_short", True, True)]


def test_a_watcher_does_not_start_the_embedded_server(
    outage_settings: Settings, receiver: Receiver, tmp_path: Path
) -> None:
    embedded = outage_settings.model_copy(update={"database_url": None})
    assert Watcher(embedded).round().outage
    assert not (tmp_path / "home" / "postgres").exists()
    assert len(receiver.named("database_unreachable")) == 1
