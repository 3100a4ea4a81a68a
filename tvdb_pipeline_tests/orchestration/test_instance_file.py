"""Dagster's instance file: the project's own, and for a cluster what differs laid over it."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
import yaml

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.orchestration import instance_file
from tvdb_pipeline.settings import Settings, project_root


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were there: only its absence is looked for."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


def composed(settings: Settings, **changes: Any) -> dict[str, Any]:
    return yaml.safe_load(instance_file.instance_file(settings.model_copy(update=changes)))


@pytest.mark.parametrize("env", ["development", "production"])
def test_without_a_cluster_it_is_the_file_of_the_project(settings: Settings, env: str) -> None:
    file = (project_root() / "deploy" if env == "production" else project_root()) / "dagster.yaml"
    assert instance_file.instance_file(settings.model_copy(update={"env": env})) == file.read_bytes()


@pytest.mark.usefixtures("installed")
def test_for_a_cluster_only_launcher_places_and_monitoring_differ(settings: Settings) -> None:
    alone = composed(settings, env="production")
    together = composed(
        settings, env="production", run_launcher="ray", concurrent_runs=8, ray_address="http://10.0.0.5:8265"
    )
    assert {name for name in together if together[name] != alone.get(name)} == {
        "run_launcher", "concurrency", "run_monitoring",
    }  # fmt: skip
    assert together["run_launcher"] == {
        "module": "dagster_ray",
        "class": "RayRunLauncher",
        "config": {"ray": {"address": "http://10.0.0.5:8265", "num_cpus": 1}},
    }
    assert together["concurrency"]["runs"] == {
        "max_concurrent_runs": 8,
        "tag_concurrency_limits": [{"key": "dagster/backfill", "limit": 6}],
    }
    assert together["run_monitoring"]["max_runtime_seconds"] == alone["run_monitoring"]["max_runtime_seconds"]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("runs", "backfills"), [(1, 1), (2, 1), (4, 3)])
def test_backfills_get_a_place_and_leave_one_where_there_are_two(settings: Settings, runs: int, backfills: int) -> None:
    found = composed(settings, run_launcher="ray", concurrent_runs=runs)
    assert found["concurrency"]["runs"]["tag_concurrency_limits"][0]["limit"] == backfills


def test_without_the_extra_a_cluster_is_refused_in_one_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TvdbError) as refused:
        composed(settings, run_launcher="ray")
    assert refused.value.code == "scale_missing"
