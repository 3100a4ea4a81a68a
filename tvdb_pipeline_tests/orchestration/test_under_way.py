"""Runs whose worker is gone are ended, and no others."""

from __future__ import annotations

import time

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.claims import Claims
from tvdb_pipeline.orchestration.jobs import JOB_NAME
from tvdb_pipeline.orchestration.partitions import add_partitions, range_tags
from tvdb_pipeline.orchestration.under_way import end_stranded, under_way
from tvdb_pipeline.settings import Settings

ORDER = ["a", "b", "c"]
LEASE = 0.05


@pytest.fixture
def run(environment: Settings, instance: dg.DagsterInstance, database: Database) -> dg.DagsterRun:
    """A run of documents a and b that Dagster was told has started, and nothing since."""
    with database.connection() as conn:
        registry.register(conn, [(key, f"{key}.pdf", None) for key in ORDER])
    add_partitions(instance, ORDER)
    job = build_defs(environment).resolve_job_def(JOB_NAME)
    made = instance.create_run_for_job(job, tags=range_tags(["a", "b"]))
    event = DagsterEvent(event_type_value=DagsterEventType.RUN_START.value, job_name=JOB_NAME)
    instance.report_dagster_event(event, made.run_id)
    return made


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_run_without_a_sign_of_life_is_ended_and_its_documents_are_free(
    instance: dg.DagsterInstance, database: Database, run: dg.DagsterRun
) -> None:
    assert under_way(instance, ORDER) == {"a", "b"}
    time.sleep(3 * LEASE)
    assert end_stranded(instance, database, ORDER, LEASE) == [run.run_id]
    assert status(instance, run) == dg.DagsterRunStatus.FAILURE
    assert under_way(instance, ORDER) == set()
    assert end_stranded(instance, database, ORDER, LEASE) == []


def test_a_run_has_time_to_begin(instance: dg.DagsterInstance, database: Database, run: dg.DagsterRun) -> None:
    assert end_stranded(instance, database, ORDER, lease_seconds=60) == []
    assert status(instance, run) == dg.DagsterRunStatus.STARTED


def test_a_run_one_of_whose_documents_is_claimed_goes_on(
    instance: dg.DagsterInstance, database: Database, run: dg.DagsterRun
) -> None:
    with Claims(database) as claims:
        claims.take(["b"])
        time.sleep(3 * LEASE)
        assert end_stranded(instance, database, ORDER, LEASE) == []
    assert status(instance, run) == dg.DagsterRunStatus.STARTED


def test_a_run_between_two_claims_goes_on(instance: dg.DagsterInstance, database: Database, run: dg.DagsterRun) -> None:
    time.sleep(3 * LEASE)
    with Claims(database) as claims:
        claims.take(["a"])
    assert end_stranded(instance, database, ORDER, LEASE) == []


def test_what_happens_to_other_documents_is_no_sign_of_life(
    instance: dg.DagsterInstance, database: Database, run: dg.DagsterRun
) -> None:
    time.sleep(3 * LEASE)
    with Claims(database) as claims:
        claims.take(["c"])
        assert end_stranded(instance, database, ORDER, LEASE) == [run.run_id]
