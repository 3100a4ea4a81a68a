"""`tvdb watch` and `tvdb alerts` as people run them, and the loop a supervisor runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.operations.alerts.rounds import silence
from tvdb_pipeline.operations.alerts.watching import watch
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.operations.alerts.conftest import Receiver


@pytest.fixture
def environment(telling: Settings, receiver: Receiver) -> dict[str, str]:
    assert telling.database_url is not None
    return {
        **os.environ,
        "TVDB_HOME": str(telling.home),
        "TVDB_UPLOAD_DIR": str(telling.upload_dir),
        "TVDB_DATABASE_URL": telling.database_url.get_secret_value(),
        "TVDB_SERVICE_MODE": "MOCK",
        "TVDB_ALERT_WEBHOOK_URL": receiver.url,
    }


@pytest.fixture
def tvdb(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tvdb_pipeline.cli", *arguments],
            env=environment | changes, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def open_breaker(database: Database) -> None:
    database.run("UPDATE tvdb.breaker SET state = 'open', code = 'quota', retry_at = now()")


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_one_round_sends_logs_and_shows_what_fires(
    tvdb: Callable[..., subprocess.CompletedProcess[str]], database: Database, receiver: Receiver
) -> None:
    open_breaker(database)
    done = tvdb("watch", "--once", "--json")
    assert done.returncode == 3
    fires = {alert["name"]: alert for alert in json.loads(done.stdout)["alerts"]}
    assert fires["breaker_open"]["firing"]
    assert fires["breaker_open"]["sent_at"] is not None
    assert len(receiver.named("breaker_open")) == 1
    logged = [line for line in done.stderr.splitlines() if "breaker_open" in line]
    assert [line.split(" ", 1)[1] for line in logged] == [
        "alert sent by webhook: [tvdb development] CRITICAL breaker_open"
    ]
    assert "secretpath" not in done.stderr + done.stdout


def test_a_round_without_a_database_is_told_and_fails(
    tvdb: Callable[..., subprocess.CompletedProcess[str]], receiver: Receiver
) -> None:
    done = tvdb("watch", "--once", TVDB_DATABASE_URL="postgresql://nobody:secretword@127.0.0.1:9/none")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(receiver.named("database_unreachable")) == 1
    assert "secretword" not in done.stderr + "".join(receiver.texts)


def test_alerts_that_are_over_are_shown_on_request(
    tvdb: Callable[..., subprocess.CompletedProcess[str]], database: Database
) -> None:
    database.run(
        """INSERT INTO tvdb.alerts (name, subject, severity, summary, resolved_at)
           VALUES ('document_failed', 'doc-1', 'warning', 'doc-1 failed.', now())"""
    )
    assert json.loads(tvdb("alerts", "--json").stdout) == {"alerts": []}
    done = tvdb("alerts", "--all")
    assert done.returncode == 0
    assert "doc-1 failed." in done.stdout


def test_parts_that_do_not_exist_cannot_be_expected(tvdb: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert tvdb("watch", "--once", "--expect", "webserver,coffee").returncode == 2


def test_the_process_ends_when_it_is_told_to(
    environment: dict[str, str], database: Database, receiver: Receiver
) -> None:
    open_breaker(database)
    process = subprocess.Popen(
        [sys.executable, "-m", "tvdb_pipeline.cli", "watch", "--interval", "0.2"], env=environment,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    eventually(lambda: bool(receiver.named("breaker_open")))
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in stderr


def test_the_loop_tells_of_a_part_that_goes_and_comes_back(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    expecting = telling.model_copy(update={"webserver_port": port})
    stop, said = threading.Event(), list[str]()

    def note(sentence: str, event: str, **fields: object) -> None:
        said.append(sentence)

    thread = threading.Thread(
        target=watch, args=(expecting, stop, ["webserver"], 0.05), kwargs={"grace": 0.1, "note": note}
    )
    thread.start()
    try:
        eventually(lambda: len(receiver.named("part_silent")) == 1)
        with socket.create_server(("127.0.0.1", port)):
            eventually(lambda: len(receiver.named("part_silent")) == 2)
    finally:
        stop.set()
        thread.join()
    assert [head.split()[2] for head in receiver.named("part_silent")] == ["CRITICAL", "OVER"]
    assert sum("part_silent" in line for line in said) == 2


def test_a_database_that_answers_otherwise_than_it_should_is_told_and_the_loop_goes_on(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    database.run("ALTER TABLE tvdb.breaker RENAME TO elsewhere")
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(telling, stop, [], 0.05), kwargs={"note": silence})
    thread.start()
    try:
        eventually(lambda: len(receiver.named("database_unreachable")) == 1)
        assert "UndefinedTable" in receiver.texts[-1]
        database.run("ALTER TABLE tvdb.elsewhere RENAME TO breaker")
        eventually(lambda: len(receiver.named("database_unreachable")) == 2)
    finally:
        stop.set()
        thread.join()
