"""Dagster in tests: an ephemeral instance, the test's own database, the real definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.orchestration.jobs import JOB_NAME
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME, range_tags
from tvdb_pipeline.settings import Settings


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test's settings as the environment, where ops and sensors read them."""
    assert settings.database_url is not None
    monkeypatch.setenv("TVDB_HOME", str(settings.home))
    monkeypatch.setenv("TVDB_UPLOAD_DIR", str(settings.upload_dir))
    monkeypatch.setenv("TVDB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("TVDB_SERVICE_MODE", "MOCK")
    monkeypatch.setenv("TVDB_PARSE_WORKERS", "1")
    return settings


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance that is gone after the test."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def launch(environment: Settings, instance: dg.DagsterInstance) -> Callable[..., dg.ExecuteInProcessResult]:
    """Runs the job over the partitions from the first to the last of `keys`."""

    def run(keys: list[str], observer: Callable[[StageOutcome], None] = lambda _: None, **more: object):
        defs = build_defs(environment, observer)
        return defs.resolve_job_def(JOB_NAME).execute_in_process(
            instance=instance, tags=range_tags(keys), raise_on_error=False, **more
        )

    return run


@pytest.fixture
def partitions(instance: dg.DagsterInstance) -> Callable[[], list[str]]:
    """The partitions Dagster knows, in its order."""
    return lambda: list(instance.get_dynamic_partitions(PARTITIONS_NAME))
