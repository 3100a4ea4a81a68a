"""What Dagster forgets of documents that are finished, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import dagster as dg
import pytest

from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.orchestration.archiving import Archived, archive
from tvdb_pipeline.orchestration.jobs import JOB_NAME
from tvdb_pipeline.orchestration.partitions import add_partitions, range_tags

Launch = Callable[..., dg.ExecuteInProcessResult]
Partitions = Callable[[], list[str]]


@pytest.fixture
def ran(shop: Workshop, instance: dg.DagsterInstance, launch: Launch) -> list[str]:
    """Keys of four documents: two runs of two."""
    for name in "abcd":
        (shop.settings.upload_dir / f"{name}.txt").write_text(f"The clause of {name} about hail.")
    keys = make_plan(shop, [shop.settings.upload_dir]).keys
    add_partitions(instance, keys)
    assert launch(keys[:2]).success
    assert launch(keys[2:]).success
    return keys


def aged(shop: Workshop, keys: list[str]) -> None:
    shop.database.run("UPDATE tvdb.documents SET updated_at = now() - interval '2 days' WHERE key = ANY(%s)", (keys,))


def materialized(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_materialized_partitions(dg.AssetKey("vector_rows")))


def over(instance: dg.DagsterInstance, keys: list[str]) -> list[str]:
    """Runs over a range with these ends."""
    return [run.run_id for run in instance.get_runs(dg.RunsFilter(tags=range_tags(keys)))]


def test_old_ones_are_forgotten_and_stay_searchable_and_their_neighbours_are_kept(
    shop: Workshop, instance: dg.DagsterInstance, ran: list[str], partitions: Partitions
) -> None:
    before = registry.load(shop.database)
    aged(shop, ran[:3])
    before_aging = {document.key: document.state for document in before}
    # The runs ended a moment ago.
    assert archive(instance, shop.database, 1.0) == Archived(documents=3, runs=0, busy=0, partitions=1)
    assert partitions() == [ran[3]]
    assert materialized(instance) == {ran[3]}
    assert {document.key: document.state for document in registry.load(shop.database)} == before_aging
    assert len({passage.path for passage in answer(shop, "hail", 4, "lexical").passages}) == 4
    assert archive(instance, shop.database, 1.0) == Archived(0, 0, 0, 1)


def test_runs_go_when_all_they_were_over_is_gone(
    shop: Workshop, instance: dg.DagsterInstance, ran: list[str], partitions: Partitions
) -> None:
    (rejected,) = ran[3:]
    shop.database.run("UPDATE tvdb.documents SET state = 'rejected' WHERE key = %s", (rejected,))
    assert archive(instance, shop.database, 0.0) == Archived(documents=3, runs=1, busy=0, partitions=1)
    left = instance.get_runs()
    assert [run.tags["dagster/asset_partition_range_end"] for run in left] == [rejected]
    assert instance.all_logs(left[0].run_id), "what happened to the one that is kept is kept"
    shop.database.run("UPDATE tvdb.documents SET state = 'ready' WHERE key = %s", (rejected,))
    assert archive(instance, shop.database, 0.0) == Archived(1, 0, 0, 0), "where the run began is not known any more"
    assert materialized(instance) == set()


def test_a_run_stays_while_a_document_between_its_ends_does(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch, ran: list[str], partitions: Partitions
) -> None:
    for name in "abcd":
        (shop.settings.upload_dir / f"{name}.txt").write_text(f"The clause of {name} about flood.")
    assert launch(ran).success
    between = ran[1]
    shop.database.run("UPDATE tvdb.documents SET state = 'rejected' WHERE key = %s", (between,))
    archive(instance, shop.database, 0.0)
    archive(instance, shop.database, 0.0)
    assert partitions() == [between]
    assert materialized(instance) == {between}
    assert len(over(instance, ran)) == 1
    shop.database.run("UPDATE tvdb.documents SET state = 'ready' WHERE key = %s", (between,))
    archive(instance, shop.database, 0.0)
    assert over(instance, ran) == []
    assert materialized(instance) == set()


def test_what_a_run_is_busy_with_is_left(shop: Workshop, instance: dg.DagsterInstance, ran: list[str]) -> None:
    run = dg.DagsterRun(
        job_name=JOB_NAME, run_id=str(uuid4()), status=dg.DagsterRunStatus.STARTED, tags=range_tags(ran[1:3])
    )
    instance.add_run(run)
    done = archive(instance, shop.database, 0.0)
    assert (done.documents, done.busy, done.partitions) == (2, 2, 2)


def test_an_archived_document_that_changes_is_a_partition_again(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch, ran: list[str], partitions: Partitions
) -> None:
    archive(instance, shop.database, 0.0)
    assert partitions() == []
    assert make_plan(shop, [shop.settings.upload_dir]).stale == []
    (shop.settings.upload_dir / "a.txt").write_text("Another clause, about flood.")
    stale = make_plan(shop, [shop.settings.upload_dir]).stale
    assert stale == [ran[0]]
    add_partitions(instance, stale)
    assert launch(stale).success
    assert materialized(instance) == {ran[0]}


def test_nothing_is_forgotten_of_what_is_young(shop: Workshop, instance: dg.DagsterInstance, ran: list[str]) -> None:
    assert archive(instance, shop.database, 90.0) == Archived(0, 0, 0, 4)
