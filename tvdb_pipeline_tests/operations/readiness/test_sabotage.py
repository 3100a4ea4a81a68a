"""The checklist turns red, in the row concerned, for each thing that is spoilt."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psycopg
import pytest
from dagster._daemon.types import DaemonHeartbeat
from pydantic import SecretStr

from tvdb_pipeline.budget.orders import Order
from tvdb_pipeline.database import grants
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.ingest.workshop import build_ledger
from tvdb_pipeline.operations.readiness import (
    alerting,
    limits,
    machine,
    provider,
    safekeeping,
    servers,
    state,
    versions,
)
from tvdb_pipeline.operations.readiness.checklist import findings
from tvdb_pipeline.operations.readiness.finding import Finding
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.operations.readiness.conftest import MODEL, Listener, as_administrator


def url_of(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


def red(rows: Iterable[Finding]) -> dict[str, str]:
    """Evidence of the rows that failed, by name."""
    return {row.name: row.evidence for row in rows if not row.passed}


def spoil(settings: Settings, *statements: str) -> None:
    with psycopg.connect(as_administrator(url_of(settings)), autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


@pytest.fixture
def spoilt(production: Settings, server_url: str) -> Iterable[Settings]:
    """A production whose database is a copy, to be spoilt."""
    source = url_of(production).partition("?")[0].rpartition("/")[2]
    name = f"{source}_copy"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    with psycopg.connect(server_url.replace("/postgres?", f"/{name}?", 1), autocommit=True) as conn:
        # Rights on the database itself are not copied.
        grants.apply(conn)
    yield production.model_copy(update={"database_url": SecretStr(url_of(production).replace(source, name, 1))})
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_an_unspoilt_database_ledger_provider_and_machine_are_all_green(production: Settings) -> None:
    url = url_of(production)
    for rows in (
        state.rows(production, url), limits.rows(production, url), provider.rows(production), machine.rows(production),
        versions.rows(),
    ):  # fmt: skip
        assert red(rows) == {}


def test_a_database_that_is_away_is_named_and_the_rest_is_asked_all_the_same(production: Settings) -> None:
    away = production.model_copy(update={"database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none")})
    rows = findings(away)
    assert "reachable" in red(rows)
    assert {"database", "limits", "provider", "parsing", "machine", "versions", "alerts", "dagster"} <= {
        row.area for row in rows
    }
    assert "nobody" not in str(rows)


@pytest.mark.parametrize(
    ("statement", "row", "says"),
    [
        ("DELETE FROM tvdb.schema_migrations WHERE number = (SELECT max(number) FROM tvdb.schema_migrations)",
         "schema", "migrations applied"),
        ("INSERT INTO tvdb.schema_migrations VALUES (9999, 'later')", "schema", "later version"),
        ("REVOKE INSERT ON tvdb.documents FROM tvdb_application", "rights", "tvdb_application lacks INSERT on tvdb.documents"),
        ("GRANT UPDATE ON tvdb.audit TO tvdb_application", "rights", "tvdb_application has UPDATE on tvdb.audit"),
        ("GRANT SELECT ON tvdb.vector_rows TO PUBLIC", "rights", "PUBLIC has SELECT on tvdb.vector_rows"),
        ("CREATE TABLE tvdb.more (); GRANT SELECT ON tvdb.more TO tvdb_read_only", "rights", "tvdb.more"),
        ("ALTER SCHEMA dagster OWNER TO tvdb_application", "role", "owns schemas"),
        ("DROP SCHEMA dagster CASCADE", "rights", "dagster"),
    ],
)  # fmt: skip
def test_a_spoilt_schema_is_named(spoilt: Settings, statement: str, row: str, says: str) -> None:
    spoil(spoilt, statement)
    assert says in red(state.rows(spoilt, url_of(spoilt)))[row]


def test_a_missing_extension_is_named(spoilt: Settings) -> None:
    spoil(spoilt, "DROP EXTENSION vector CASCADE")
    assert "not installed" in red(state.rows(spoilt, url_of(spoilt)))["pgvector"]


def test_a_superuser_is_named_in_production_only(settings: Settings) -> None:
    production = settings.model_copy(update={"env": "production"})
    assert "superuser" in red(state.rows(production, url_of(settings)))["role"]
    assert "role" not in red(state.rows(settings, url_of(settings)))


def test_too_few_free_connections_are_named(production: Settings) -> None:
    held: list[psycopg.Connection[tuple[object, ...]]] = []
    try:
        with psycopg.connect(url_of(production)) as conn:
            [(most,)] = conn.execute("SELECT current_setting('max_connections')::int").fetchall()
        while len(held) < most - state.LEAST_FREE_CONNECTIONS:
            held.append(psycopg.connect(url_of(production)))
        assert "wanted" in red(state.rows(production, url_of(production)))["connections"]
    finally:
        for each in held:
            each.close()


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"daily_cost_limit_usd": 0}, "day"),
        ({"hourly_request_limit": 0}, "hour"),
        ({"document_cost_limit_usd": 0}, "document"),
        ({"document_cost_limit_usd": 50}, "document"),
    ],
)
def test_limits_that_are_none_are_named(production: Settings, change: dict[str, int], row: str) -> None:
    assert row in red(limits.rows(production.model_copy(update=change), url_of(production)))


def test_a_process_that_goes_on_with_another_limit_is_named(spoilt: Settings) -> None:
    database = Database(url_of(spoilt)).open()
    other = spoilt.model_copy(update={"daily_cost_limit_usd": 500})
    build_ledger(other, database).reserve(MODEL, Order(1, 10, "query"))
    database.close()
    assert "the day's" in red(limits.rows(spoilt, url_of(spoilt)))["in use"]


@pytest.mark.parametrize(
    ("change", "row", "says"),
    [
        ({"openai_api_key": SecretStr("sk-wrong")}, "key", "OPENAI_API_KEY"),
        ({"openai_api_key": None}, "key", "OPENAI_API_KEY"),
        ({"embedding_model": "text-embedding-9"}, "key", "TVDB_EMBEDDING_MODEL"),
        ({"openai_base_url": "http://127.0.0.1:9/v1"}, "key", "not reached"),
        ({"provider_agreement": None}, "agreement", "TVDB_PROVIDER_AGREEMENT"),
        ({"service_mode": "HYBRID", "openai_api_key": None}, "key", "OPENAI_API_KEY"),
    ],
)
def test_a_provider_that_would_not_serve_is_named_and_nothing_is_bought(
    production: Settings, listener: Listener, change: dict[str, object], row: str, says: str
) -> None:
    listener.asked.clear()
    found = red(provider.rows(production.model_copy(update=change)))
    assert says in found[row]
    assert "sk-" not in str(found)
    assert all(method == "GET" for method, _ in listener.asked)


def test_a_mock_needs_no_provider(production: Settings) -> None:
    rows = list(provider.rows(production.model_copy(update={"service_mode": "MOCK", "openai_api_key": None})))
    assert [(row.passed, row.needed) for row in rows] == [(True, False)] * 2


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"upload_dir": Path("/nowhere")}, "uploads"),
        ({"home": Path("/proc/tvdb")}, "home"),
        ({"parse_workers": 100_000}, "memory"),
    ],
)
def test_a_machine_that_is_unfit_is_named(production: Settings, change: dict[str, object], row: str) -> None:
    assert row in red(machine.rows(production.model_copy(update=change)))


def test_a_disk_that_is_nearly_full_is_named(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", shutil.disk_usage(production.upload_dir).free + (1 << 40))
    assert "GiB free under TVDB_HOME" in red(machine.rows(production))["disk"]


def test_readers_that_cannot_be_started_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert "parsing" in {row.area for row in findings(settings) if not row.passed}


def test_packages_that_are_not_those_of_the_lock_are_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("dagster==0.1.0 \\\n    --hash=sha256:0\nno-such-package==1.0\n")
    assert "2 of 2" in red(versions.rows(lock))["lock"]


def test_servers_that_do_not_run_are_named(production: Settings) -> None:
    closed = production.model_copy(update={"code_server_port": 1, "webserver_port": 1})
    found = red(servers.rows(closed, url_of(closed)))
    assert {"code server", "webserver", "daemons", "upload_folder_sensor", "recovery_sensor"} <= set(found)


def test_a_daemon_that_fell_silent_is_named(spoilt: Settings) -> None:
    with open_instance(spoilt, url_of(spoilt)) as instance:
        for name in instance.get_required_daemon_types():
            late = 600 if name == "SENSOR" else 0
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - late, name, "test", []))
    assert "SENSOR 60" in red(servers.rows(spoilt, url_of(spoilt)))["daemons"]


def test_a_sensor_that_was_switched_off_is_named(
    spoilt: Settings, stop_sensor: Callable[[Settings, str], None]
) -> None:
    stop_sensor(spoilt, "recovery_sensor")
    assert "switched off" in red(servers.rows(spoilt, url_of(spoilt)))["recovery_sensor"]


@pytest.fixture
def stop_sensor() -> Callable[[Settings, str], None]:
    """Switches a sensor off as the UI does."""
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.remote_origin import (
        GrpcServerCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData

    def stop(settings: Settings, name: str) -> None:
        location = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="tvdb_pipeline.definitions")
        origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)
        data = SensorInstigatorData(last_tick_timestamp=time.time(), min_interval=15)
        with open_instance(settings, url_of(settings)) as instance:
            instance.add_instigator_state(
                InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.STOPPED, data)
            )

    return stop


NOTED = "INSERT INTO tvdb.safekeeping (at, kind, passed, figures) VALUES (now() - interval '{age}', '{kind}', {passed}, '{{}}')"


@pytest.mark.parametrize(
    ("kind", "age", "passed", "says"),
    [
        ("backup", "2 days", True, "48.0 hours old"),
        ("backup", "1 hour", False, "none has passed"),
        ("drill", "100 days", True, "100.0 days old"),
        ("drill", "1 hour", False, "none has passed"),
    ],
)
def test_a_backup_or_drill_that_is_too_old_or_did_not_pass_is_named(
    spoilt: Settings, kind: str, age: str, passed: bool, says: str
) -> None:
    other = "drill" if kind == "backup" else "backup"
    spoil(
        spoilt,
        NOTED.format(age=age, kind=kind, passed=passed),
        NOTED.format(age="1 hour", kind=other, passed=True),
    )
    found = red(safekeeping.rows(spoilt, url_of(spoilt)))
    assert list(found) == [kind]
    assert says in found[kind]


def test_without_any_backup_both_are_named(production: Settings) -> None:
    assert list(red(safekeeping.rows(production, url_of(production)))) == ["backup", "drill"]


def test_a_channel_that_is_not_set_or_does_not_answer_is_named(production: Settings) -> None:
    assert red(alerting.rows(production)) == {}
    closed = {"alert_webhook_url": SecretStr("http://127.0.0.1:9/alerts?token=secret")}
    found = red(alerting.rows(production.model_copy(update=closed)))
    assert found
    assert "secret" not in str(found)
    assert red(alerting.rows(production.model_copy(update={"alert_webhook_url": None})))


def test_development_is_asked_for_none_of_what_only_production_needs(settings: Settings) -> None:
    rows = findings(settings)
    assert red(rows) == {}
    aside = {row.name for row in rows if not row.needed}
    assert {"role", "key", "code server", "daemons", "sensors", "backup", "drill", "channel"} <= aside
