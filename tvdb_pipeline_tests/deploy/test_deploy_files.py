"""The files under deploy/: they parse, and run commands there are."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import typer
import yaml

from tvdb_pipeline import cli
from tvdb_pipeline.operations.serving import parts
from tvdb_pipeline.orchestration.home import dagster_environment, prepare_home
from tvdb_pipeline.settings import Settings, project_root

DEPLOY = project_root() / "deploy"
UNITS = sorted(path for path in (DEPLOY / "systemd").iterdir() if path.is_file())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
BREAKS_THE_SANDBOX = (
    "RestrictNamespaces", "ProtectProc", "ProcSubset", "ProtectKernelTunables", "ProtectKernelLogs", "PrivateUsers",
)  # fmt: skip
"""Directives under which readers of documents cannot make their namespaces, or mount their /proc."""


def parsed(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read(path)
    return found


def refuse_unknown(arguments: list[str]) -> None:
    """Parse what follows `tvdb` as the command itself does, without running anything."""
    command = typer.main.get_command(cli.app)
    context = command.make_context("tvdb", arguments[:1], resilient_parsing=True)
    name, sub, rest = command.resolve_command(context, arguments)  # type: ignore[attr-defined]
    assert sub is not None
    found = sub.make_context(name, rest, parent=context)
    if only := found.params.get("only"):
        assert only in parts.BY_THEMSELVES


def commands_of_units() -> Iterator[tuple[str, list[str]]]:
    for path in SERVICES:
        yield path.name, parsed(path)["Service"]["ExecStart"].split()


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "containers" / "compose.yaml").read_text())


@pytest.mark.parametrize(
    ("unit", "command"), list(commands_of_units()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_units_run_commands_there_are(unit: str, command: list[str]) -> None:
    assert command[0] == "/opt/tvdb/.venv/bin/tvdb"
    refuse_unknown(command[1:])


def test_the_units_run_every_part_and_the_target_wants_them() -> None:
    commands = dict(commands_of_units())
    assert {command[-1] for name, command in commands.items() if "--only" in command} == set(parts.BY_THEMSELVES)
    wanted = parsed(DEPLOY / "systemd" / "tvdb.target")["Unit"]
    names = (DEPLOY / "systemd" / "tvdb.target").read_text()
    assert wanted["Description"]
    assert all(f"tvdb-{name}.service" in names for name in parts.NAMES)


def test_hardening_leaves_the_readers_of_documents_their_namespaces() -> None:
    files = [*SERVICES, DEPLOY / "systemd" / "tvdb-.service.d" / "common.conf"]
    for path in files:
        assert not set(parsed(path)["Service"]) & set(BREAKS_THE_SANDBOX), path.name
    common = parsed(files[-1])["Service"]
    assert common["NoNewPrivileges"] == "yes"
    calls = common["SystemCallFilter"].split()
    assert {"@mount", "seccomp", "landlock_create_ruleset"} <= set(calls)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    program = tmp_path / "tvdb"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", folder)
    for path in folder.rglob("*.service"):
        path.write_text(path.read_text().replace("/opt/tvdb/.venv/bin/tvdb", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(folder / path.name) for path in UNITS if "@" not in path.name)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "tvdb" in line]
    assert (done.returncode, ours) == (0, [])


def test_containers_run_commands_there_are_and_every_part() -> None:
    services = compose()["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "tvdb"}
    for service in ours.values():
        assert service["command"][0] == "tvdb"
        refuse_unknown(service["command"][1:])
    assert set(parts.NAMES) < set(ours)
    assert all(ours[name]["command"] == ["tvdb", "serve", "--only", name] for name in parts.NAMES)


def test_containers_publish_on_this_machine_only_and_hold_no_secret() -> None:
    text = (DEPLOY / "containers" / "compose.yaml").read_text()
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert not {"OPENAI_API_KEY", "TVDB_DATABASE_URL", "POSTGRES_PASSWORD"} & set(service.get("environment", {}))
    assert "sk-" not in text


def test_the_containerfile_copies_files_there_are_and_runs_the_same_command() -> None:
    text = (DEPLOY / "containers" / "Containerfile").read_text()
    for line in text.splitlines():
        if line.startswith("COPY "):
            *sources, _ = line.split()[1:]
            assert all((project_root() / source).exists() for source in sources)
    command = next(line for line in text.splitlines() if line.startswith("CMD "))
    words = yaml.safe_load(command.removeprefix("CMD "))
    refuse_unknown(words[1:])


def test_production_has_an_instance_of_its_own_and_dagster_takes_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.database_url is not None
    production = settings.model_copy(update={"env": "production"})
    home = prepare_home(production)
    for name, value in dagster_environment(production, settings.database_url.get_secret_value()).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 14_400
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 2  # type: ignore[union-attr]
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.get_tick_retention_settings(_sensor())
        assert instance.get_runs() == []
    assert _schemas(settings) == [("dagster",)], "its tables stand in a schema of their own"


def test_development_keeps_the_instance_of_the_checkout(settings: Settings) -> None:
    written = (prepare_home(settings) / "dagster.yaml").read_bytes()
    assert written == (project_root() / "dagster.yaml").read_bytes()


def test_the_workspace_is_one_code_server_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._core.workspace.load import location_origins_from_yaml_paths

    monkeypatch.setenv("TVDB_CODE_SERVER_PORT", "4266")
    [origin] = location_origins_from_yaml_paths([parts.workspace()])
    assert (origin.host, origin.port) == ("127.0.0.1", 4266)  # type: ignore[attr-defined]


def _sensor() -> Any:
    from dagster._core.definitions.run_request import InstigatorType

    return InstigatorType.SENSOR


def _schemas(settings: Settings) -> list[tuple[str]]:
    import psycopg

    assert settings.database_url is not None
    with psycopg.connect(settings.database_url.get_secret_value()) as conn:
        return conn.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'event_logs'").fetchall()
