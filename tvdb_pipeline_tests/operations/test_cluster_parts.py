"""What head and workers of a cluster are started with, and what is refused before anything is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.serving import cluster, parts, supervisor
from tvdb_pipeline.orchestration.ray_token import ray_environment
from tvdb_pipeline.settings import Settings


def value(command: tuple[str, ...], option: str) -> str:
    return command[command.index(option) + 1]


@pytest.fixture
def scaled(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"run_launcher": "ray", "ray_head": "127.0.0.2:7001", "artifact_url": "file:///mnt/shared"}
    )


def test_the_head_runs_no_documents_and_workers_have_places(scaled: Settings) -> None:
    head, worker = cluster.head_command(scaled), cluster.worker_command(scaled)
    assert value(head, "--num-cpus") == "0"
    assert value(head, "--node-ip-address") == "127.0.0.2"
    assert value(worker, "--num-cpus") == "1"
    assert value(worker, "--address") == "127.0.0.2:7001"
    assert all("--disable-usage-stats" in command for command in (head, worker))


def test_workers_beside_each_other_have_addresses_and_homes_of_their_own(scaled: Settings) -> None:
    started = [part for part in parts.all_parts(scaled, "", workers=2) if part.name.startswith(cluster.WORKER)]
    assert [value(part.command, "--node-ip-address") for part in started] == ["127.0.0.3", "127.0.0.4"]
    homes = {word for part in started for word in part.command if word.startswith("TVDB_HOME=")}
    assert homes == {f"TVDB_HOME={scaled.home}/workers/{number}" for number in (1, 2)}


def test_a_worker_on_another_machine_says_its_own_address_where_it_has_several(scaled: Settings) -> None:
    assert "--node-ip-address" not in cluster.worker_command(scaled)
    told = cluster.worker_command(scaled.model_copy(update={"ray_worker_address": "10.0.0.21"}))
    assert value(told, "--node-ip-address") == "10.0.0.21"
    assert not any(word.startswith("TVDB_HOME=") for word in told)


def test_a_worker_finds_dagster_whoever_started_it(scaled: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (path,) = [word.removeprefix("PATH=") for word in cluster.worker_command(scaled) if word.startswith("PATH=")]
    found = shutil.which("dagster", path=path)
    assert found is not None
    assert Path(found).parent == Path(sys.executable).parent
    assert path.endswith(":/usr/bin:/bin")


def test_no_secret_is_on_a_command_line(scaled: Settings) -> None:
    assert scaled.database_url is not None
    url = scaled.database_url.get_secret_value()
    for part in parts.all_parts(scaled, url, workers=2):
        assert url not in " ".join(part.command)


def test_without_a_cluster_no_part_is_rays(settings: Settings) -> None:
    assert [part.name for part in parts.all_parts(settings, "")] == list(parts.NAMES)


@pytest.mark.parametrize(
    ("changes", "workers", "says"),
    [({"run_launcher": "local"}, 2, "TVDB_RUN_LAUNCHER"), ({"artifact_url": None}, 2, "TVDB_ARTIFACT_URL")],
)
def test_a_cluster_that_cannot_work_is_refused_before_anything_is_started(
    scaled: Settings, changes: dict[str, object], workers: int, says: str
) -> None:
    with pytest.raises(TvdbError) as refused:
        supervisor.serve(scaled.model_copy(update=changes), workers=workers)
    assert refused.value.code == "bad_setting"
    assert says in refused.value.message


def test_a_cluster_others_can_reach_is_refused_without_a_token(
    scaled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable = scaled.model_copy(update={"ray_head": "10.0.0.10:6379"})
    for start in (lambda: supervisor.serve(reachable), lambda: supervisor.only(reachable, cluster.WORKER)):
        with pytest.raises(TvdbError) as refused:
            start()
        assert refused.value.code == "ray_token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/etc/tvdb/ray-token")
    assert ray_environment(reachable) == {"RAY_AUTH_MODE": "token"}


def test_a_cluster_of_this_machine_makes_one_token_and_keeps_it(scaled: Settings) -> None:
    first, again = ray_environment(scaled), ray_environment(scaled)
    assert first == again == {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(scaled.home / "ray-token")}
    assert len((scaled.home / "ray-token").read_text()) == 64
    assert (scaled.home / "ray-token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in scaled.home.iterdir()] == ["ray-token"]


def test_where_runs_stay_here_nobody_hears_of_tokens(settings: Settings) -> None:
    assert ray_environment(settings) == {}
    assert not (settings.home / "ray-token").exists()
