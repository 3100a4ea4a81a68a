"""What is measured, from real rows, files and ports."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import psycopg
import pytest

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import Order, Share
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.operations.alerts import machine, measuring
from tvdb_pipeline.operations.alerts.machine import Parts
from tvdb_pipeline.operations.alerts.uploads import uploads
from tvdb_pipeline.settings import Settings

HOUR = 3600.0


def add(database: Database, key: str, state: str, *, ago: str, code: str | None = None, attempts: int = 0) -> None:
    """A document registered and last changed so long ago."""
    database.run(
        """INSERT INTO tvdb.documents (key, path, state, attempts, error, registered_at, updated_at)
           VALUES (%s, %s, %s, %s, CASE WHEN %s::text IS NOT NULL THEN jsonb_build_object('code', %s::text) END,
                   now() - %s::interval, now() - %s::interval)""",
        (key, f"{key}.pdf", state, attempts, code, code, ago, ago),
    )
    database.run("UPDATE tvdb.journal SET at = now() - %s::interval WHERE document_key = %s", (ago, key))


def test_the_budget_is_the_ledgers(settings: Settings, database: Database, make_ledger: object) -> None:
    from tvdb_pipeline.ingest.workshop import build_workshop

    ledger: Ledger = build_workshop(settings, database, _client()).ledger
    ledger.reserve("text-embedding-3-small", Order(1, 1000, "documents", {"doc-1": Share(1, 1000)}))
    with measuring.connected(settings) as conn:
        found = measuring.budget(conn, settings)
    assert (found.dollars.used, found.dollars.limit) == (20_000, settings.daily_limit_nano)
    assert (found.requests.used, found.requests.limit) == (1, settings.hourly_request_limit)


def _client() -> object:
    from tvdb_pipeline.embedding.mock import MockClient

    return MockClient()


def test_documents_wait_from_when_they_were_last_complete(settings: Settings, database: Database) -> None:
    add(database, "old", "deferred", ago="2 hours", code="day_limit")
    add(database, "new", "deferred", ago="10 minutes", code="day_limit")
    add(database, "again", "registered", ago="9 hours")
    database.run("UPDATE tvdb.documents SET state = 'ready' WHERE key = 'again'")
    database.run("UPDATE tvdb.documents SET state = 'registered' WHERE key = 'again'")
    add(database, "failing", "failed", ago="2 hours", code="crashed", attempts=2)
    add(database, "failed", "failed", ago="2 hours", code="crashed", attempts=5)
    with measuring.connected(settings) as conn:
        found = measuring.documents(conn, HOUR)
    assert [(each.key, each.code, each.attempts) for each in found.failed] == [("failed", "crashed", 5)]
    assert [(each.code, each.documents, each.oldest) for each in found.waiting] == [
        ("crashed", 1, "failing"),
        ("day_limit", 1, "old"),
    ]


def test_documents_that_wait_for_a_later_hour_are_not_due(settings: Settings, database: Database) -> None:
    add(database, "due", "registered", ago="2 hours")
    add(database, "later", "deferred", ago="2 hours")
    database.run("UPDATE tvdb.documents SET next_attempt_at = now() + interval '1 hour' WHERE key = 'later'")
    with measuring.connected(settings) as conn:
        found = measuring.progress(conn, HOUR)
    assert found.due == 1
    assert found.silent_seconds is not None
    assert found.silent_seconds > HOUR


def test_a_document_that_ended_twice_counts_as_it_did_last(settings: Settings, database: Database) -> None:
    for key in ("a", "b"):
        add(database, key, "registered", ago="1 minute")
        database.run("UPDATE tvdb.documents SET state = 'failed' WHERE key = %s", (key,))
    database.run("UPDATE tvdb.documents SET state = 'ready' WHERE key = 'a'")
    with measuring.connected(settings) as conn:
        found = measuring.ends(conn, 900)
    assert (found.documents, found.failed, found.rejected) == (2, 1, 0)


def aged(path: Path, database: Database, settings: Settings) -> Settings:
    """Settings under which what lies there now has waited too long."""
    time.sleep(0.02)
    return settings.model_copy(update={"alert_waiting_seconds": 0.01})


def test_new_and_changed_files_wait_and_those_taken_up_do_not(settings: Settings, database: Database) -> None:
    for name in ("new", "changed", "known"):
        (settings.upload_dir / f"{name}.pdf").write_bytes(b"12345")
    for name in ("changed", "known"):
        add(database, name, "ready", ago="1 hour")
        info = (settings.upload_dir / f"{name}.pdf").stat()
        database.run(
            "INSERT INTO tvdb.observations (path, source, bytes, mtime_ns) VALUES (%s, %s, %s, %s)",
            (f"{name}.pdf", str(settings.upload_dir), info.st_size, info.st_mtime_ns),
        )
    os.utime(settings.upload_dir / "changed.pdf", ns=(1, 1))
    with measuring.connected(settings) as conn:
        assert uploads(conn, settings).waiting == 0
        assert uploads(conn, aged(settings.upload_dir, database, settings)).waiting == 2
        database.run("UPDATE tvdb.documents SET updated_at = now() WHERE key = 'changed'")
        assert uploads(conn, aged(settings.upload_dir, database, settings)).waiting == 1


@pytest.mark.parametrize(("gone", "withheld"), [(10, 0), (11, 11)])
def test_many_files_gone_at_once_are_withheld(settings: Settings, database: Database, gone: int, withheld: int) -> None:
    for number in range(30):
        add(database, f"doc-{number}", "ready", ago="1 hour")
        if number >= gone:
            (settings.upload_dir / f"doc-{number}.pdf").write_bytes(b"1")
    with measuring.connected(settings) as conn:
        found = uploads(conn, settings)
        assert (found.known, found.withheld) == (30, withheld)
        kept = settings.model_copy(update={"remove_missing": False})
        assert uploads(conn, kept).withheld == 0


def test_a_folder_that_is_not_there_is_not_an_empty_one(settings: Settings, database: Database) -> None:
    settings.upload_dir.rmdir()
    with measuring.connected(settings) as conn:
        assert uploads(conn, settings).error == "not_found"


def test_heartbeats_are_read_and_their_absence_is_bad_only_where_they_are_expected(
    settings: Settings, database: Database
) -> None:
    with measuring.connected(settings) as conn:
        assert measuring.heartbeats(conn, expected=False) == {}
        assert measuring.heartbeats(conn, expected=True) == {"daemon": float("inf")}
        conn.execute(
            "CREATE TABLE dagster.daemon_heartbeats (daemon_type text, daemon_id text, timestamp timestamp, body text)"
        )
        conn.execute("INSERT INTO dagster.daemon_heartbeats VALUES ('SENSOR', 'x', now() AT TIME ZONE 'UTC', '')")
        conn.execute("SET timezone = 'Asia/Tokyo'")
        age = measuring.heartbeats(conn, expected=True)["SENSOR"]
    assert 0 <= age < 60


def test_connections_are_counted_with_those_of_others(settings: Settings, database_url: str) -> None:
    with measuring.connected(settings) as conn:
        before = measuring.connections(conn)
        with psycopg.connect(database_url):
            after = measuring.connections(conn)
    assert 0 < before.used < before.limit
    assert after.limit == before.limit


def test_a_part_that_is_expected_is_tried_at_its_port(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        there = settings.model_copy(update={"webserver_host": "0.0.0.0", "webserver_port": port})
        parts = Parts(there, ["webserver"])
        assert parts.silent() == {}
    silent = parts.silent()
    assert silent is not None
    assert list(silent) == ["webserver"]
    assert Parts(settings, []).silent() is None
    assert Parts(settings, ["daemon"]).silent() is None


def test_a_container_has_its_own_memory(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  900 kB\n")
    level = machine.memory(meminfo, tmp_path)
    assert level is not None
    assert level.share == pytest.approx(0.1)
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100\n")
    level = machine.memory(meminfo, tmp_path)
    assert level is not None
    assert (level.used, level.limit) == (800, 1000)
    assert machine.memory(tmp_path / "none", tmp_path / "none") is None
