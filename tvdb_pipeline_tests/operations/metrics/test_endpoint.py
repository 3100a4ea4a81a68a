"""The endpoint answers whatever happens, and tells nothing that is nobody's business."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import psycopg
import pytest
from typer.testing import CliRunner

from tvdb_pipeline.cli import app
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.operations.metrics.endpoint import exposition, serve
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.operations.metrics.scraping import Scrape, parsed, value


def variables(settings: Settings, port: int = 9477) -> dict[str, str]:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    return {"TVDB_HOME": str(settings.home), "TVDB_DATABASE_URL": url, "TVDB_METRICS_PORT": str(port)}


def test_without_the_database_it_says_so_shows_no_figure_and_recovers(
    shop: Workshop, server_url: str, scrape: Scrape
) -> None:
    (shop.settings.upload_dir / "a.txt").write_text("Hail damage to the roof is covered.")
    list(walk(shop, make_plan(shop, [shop.settings.upload_dir]).stale))
    before = scrape()
    name = psycopg.conninfo.conninfo_to_dict(shop.database.url)["dbname"]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        without = scrape()
        conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert value(without, "tvdb_up") == 0
    left = {series for series, _ in without}
    assert left <= {"tvdb_up", "tvdb_scrape_seconds", "tvdb_build_info", "tvdb_process_resident_bytes"} | {
        series for series in left if series.startswith(("tvdb_disk", "tvdb_memory"))
    }
    after = scrape()
    assert value(after, "tvdb_up") == 1
    ready = ("tvdb_document_ends_total", frozenset({("state", "ready")}))
    assert after[ready] == before[ready] == 1


def test_labels_come_from_closed_sets_and_name_no_document(shop: Workshop, settings: Settings) -> None:
    (settings.upload_dir / "secret-of-mrs-miller.txt").write_text("Hail damage to the roof is covered.")
    (settings.upload_dir / "broken-miller.pdf").write_bytes(b"%PDF-1.7\nnothing of use")
    plan = make_plan(shop, [settings.upload_dir])
    list(walk(shop, plan.stale))
    shop.database.run("""UPDATE tvdb.journal SET code = 'Not a "code" of ours: miller.pdf' WHERE code IS NOT NULL""")
    text, up = exposition(settings)
    assert up
    assert "miller" not in text
    assert not any(key in text for key in plan.keys)
    assert value(parsed(text), "tvdb_document_errors_total", state="rejected", code="other") == 1
    names = {label for _, labels in parsed(text) for label, _ in labels}
    assert names <= {"state", "code", "stage", "le", "purpose", "kind", "paid", "version", "daemon"}


def test_every_metric_has_a_meaning_and_a_type(settings: Settings) -> None:
    lines = exposition(settings)[0].splitlines()
    named = {line.split()[0].split("{")[0] for line in lines if not line.startswith("#")}
    described = {line.split()[2] for line in lines if line.startswith("# HELP") and len(line.split()) > 3}
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE") and line.split()[3] != "untyped"}
    assert described == typed
    histogram = {f"tvdb_stage_seconds_{part}" for part in ("bucket", "count", "sum")}
    assert named - histogram <= described
    assert all(name.startswith("tvdb_") for name in named)


def test_a_database_without_our_schema_counts_as_not_there(server_url: str, settings: Settings) -> None:
    # The server's own database has none of our tables.
    elsewhere = settings.model_copy(update={"database_url": None}).model_dump() | {"database_url": server_url}
    text, up = exposition(Settings(**elsewhere))
    assert not up
    assert value(parsed(text), "tvdb_up") == 0


def test_once_prints_what_can_be_parsed_and_fails_without_the_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, setting in variables(settings).items():
        monkeypatch.setenv(name, setting)
    answer = CliRunner().invoke(app, ["metrics", "--once"])
    assert (answer.exit_code, value(parsed(answer.stdout), "tvdb_up")) == (0, 1)
    monkeypatch.setenv("TVDB_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    answer = CliRunner().invoke(app, ["metrics", "--once"])
    assert (answer.exit_code, value(parsed(answer.stdout), "tvdb_up")) == (1, 0)


def test_a_port_that_is_taken_is_refused_in_one_sentence(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(TvdbError) as refused:
            serve(settings, threading.Event(), port=other.getsockname()[1])
    assert refused.value.code == "port_taken"


def test_the_command_answers_until_it_is_told_to_end(settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | variables(settings, port)
    command = [sys.executable, "-m", "tvdb_pipeline.cli", "metrics"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"tvdb metrics: http://127.0.0.1:{port}/metrics\n"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            assert value(parsed(answer.read().decode()), "tvdb_up") == 1
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
