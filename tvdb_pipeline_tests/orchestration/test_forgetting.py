"""What Dagster keeps of documents that were erased."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.documents import tombstones
from tvdb_pipeline.documents.stages import STAGES
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.watching import remove_gone
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.orchestration.checks import CHECK_SPECS
from tvdb_pipeline.orchestration.forgetting import forget_erased
from tvdb_pipeline.orchestration.partitions import add_partitions, range_tags
from tvdb_pipeline.orchestration.resources import EmbeddingClientResource
from tvdb_pipeline.settings import Settings

Launch = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def ran(shop: Workshop, instance: dg.DagsterInstance, launch: Launch) -> list[str]:
    """Keys of two documents that one run went over."""
    for name in ("a.txt", "b.txt"):
        (shop.settings.upload_dir / name).write_text(f"The clause of {name}.")
    keys = make_plan(shop, [shop.settings.upload_dir]).keys
    add_partitions(instance, keys)
    assert launch(keys).success
    return keys


def told(instance: dg.DagsterInstance) -> list[tuple[str, str | None]]:
    """(kind, partition) of what Dagster can say of partitions: materializations, and executions of checks."""
    records = instance.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.ASSET_MATERIALIZATION))
    said = [("materialized", record.partition_key) for record in records]
    for spec in CHECK_SPECS:
        executions = instance.event_log_storage.get_asset_check_execution_history(spec.key, limit=100)
        events = [execution.event.get_dagster_event() for execution in executions if execution.event is not None]
        judged = [event for event in events if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION]
        said += [("judged", event.asset_check_evaluation_data.partition) for event in judged]
    return sorted(said, key=str)


def in_storage(instance: dg.DagsterInstance, word: str) -> int:
    """Rows of Dagster's event storage that hold a word, apart from those that tell what a run was to do."""
    import sqlalchemy as db
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata

    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    found = 0
    with storage.index_connection() as conn:
        for table in SqlEventLogStorageMetadata.sorted_tables:
            rows = [row._asdict() for row in conn.execute(db.select(table))]
            found += sum(
                word in str(row) and not str(row.get("dagster_event_type")).startswith("PIPELINE") for row in rows
            )
    return found


def test_events_of_an_erased_document_are_gone_and_those_of_its_neighbours_stay(
    shop: Workshop, instance: dg.DagsterInstance, ran: list[str], partitions: Callable[[], list[str]]
) -> None:
    first, second = ran
    assert told(instance) == sorted(
        [("materialized", key) for key in ran for _ in STAGES] + [("judged", key) for key in ran for _ in CHECK_SPECS]
    )
    # The last to be materialized is what Dagster keeps a copy of.
    remove(shop, [second], "vanished")
    assert forget_erased(instance, shop.database) == [second]
    assert told(instance) == [("judged", first)] * len(CHECK_SPECS) + [("materialized", first)] * len(STAGES)
    for stage in STAGES:
        latest = instance.get_latest_materialization_event(dg.AssetKey(stage))
        assert latest is not None
        assert latest.get_dagster_event().partition == first
    assert partitions() == [first]
    assert forget_erased(instance, shop.database) == []
    remove(shop, [first], "command")
    assert forget_erased(instance, shop.database) == [first]
    assert told(instance) == []
    assert instance.get_latest_materialization_event(dg.AssetKey("chunks")) is None
    assert not in_storage(instance, "data_version")


def test_what_a_run_is_busy_with_waits_for_its_end(
    shop: Workshop, instance: dg.DagsterInstance, ran: list[str], partitions: Callable[[], list[str]]
) -> None:
    run = instance.create_run_for_job(
        dg.GraphDefinition(name="busy").to_job(), tags=range_tags(ran), status=dg.DagsterRunStatus.STARTED
    )
    remove(shop, ran[:1], "command")
    assert forget_erased(instance, shop.database) == []
    assert partitions() == ran
    instance.report_run_failed(run)
    assert forget_erased(instance, shop.database) == ran[:1]
    assert partitions() == ran[1:]


def test_one_registered_anew_loses_what_is_older_and_keeps_what_is_newer(
    shop: Workshop, instance: dg.DagsterInstance, ran: list[str], launch: Launch, partitions: Callable[[], list[str]]
) -> None:
    remove(shop, ran, "vanished")
    make_plan(shop, [shop.settings.upload_dir])
    assert launch(ran[:1]).success
    assert forget_erased(instance, shop.database) == ran
    assert partitions() == ran
    assert told(instance) == [("judged", ran[0])] * len(CHECK_SPECS) + [("materialized", ran[0])] * len(STAGES)


def test_the_recovery_sensor_forgets_what_the_upload_folder_no_longer_holds(
    shop: Workshop,
    environment: Settings,
    instance: dg.DagsterInstance,
    ran: list[str],
    partitions: Callable[[], list[str]],
) -> None:
    remove_gone(shop, ran[:1])
    defs = build_defs(environment)
    context = dg.build_sensor_context(
        instance=instance, definitions=defs, resources={"embedding_client": EmbeddingClientResource()}
    )
    assert isinstance(defs.get_sensor_def("recovery_sensor")(context), dg.SkipReason)
    assert partitions() == ran[1:]
    assert {partition for _, partition in told(instance)} == set(ran[1:])
    assert shop.database.fetch("SELECT count(*) FROM tvdb.embedding_cache") == [(1,)]


def test_nothing_is_asked_of_dagster_where_nothing_was_erased(database: Database, instance: dg.DagsterInstance) -> None:
    assert forget_erased(instance, database) == []
    assert tombstones.events_due(database) == {}
