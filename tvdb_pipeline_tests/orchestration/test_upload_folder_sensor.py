"""What the sensor makes of the upload folder, look by look."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import dagster as dg
import pytest

from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest import watching
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME
from tvdb_pipeline.orchestration.resources import EmbeddingClientResource
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

Tick = Callable[[], dg.SensorResult | dg.SkipReason]


@pytest.fixture
def tick(environment: Settings, instance: dg.DagsterInstance) -> Tick:
    """One look of the sensor; what it asks for about partitions is carried out, as the daemon would."""
    defs = build_defs(environment)
    sensor = defs.get_sensor_def("upload_folder_sensor")

    def look() -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(
            instance=instance, definitions=defs, resources={"embedding_client": EmbeddingClientResource()}
        )
        result = sensor(context)
        assert isinstance(result, dg.SensorResult | dg.SkipReason)
        if isinstance(result, dg.SensorResult):
            for request in result.dynamic_partitions_requests or []:
                if isinstance(request, dg.AddDynamicPartitionsRequest):
                    instance.add_dynamic_partitions(PARTITIONS_NAME, list(request.partition_keys))
                else:
                    for key in request.partition_keys:
                        instance.delete_dynamic_partition(PARTITIONS_NAME, key)
        return result

    return look


def requests(result: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []


def upload(shop: Workshop, name: str, seed: int = 1) -> None:
    (shop.settings.upload_dir / name).write_bytes(flowing_pdf(paragraphs(2, seed=seed)))


def process(shop: Workshop) -> dict[str, registry.Document]:
    """What the requested runs would do."""
    list(walk(shop, [document.key for document in registry.load(shop.database)]))
    return {document.path: document for document in registry.load(shop.database)}


def test_many_new_files_become_one_run_once_they_stopped_growing(shop: Workshop, tick: Tick) -> None:
    for number in range(20):
        upload(shop, f"{number:02}.pdf", number)
    assert requests(tick()) == []
    assert len(requests(tick())) == 1


def test_a_few_uploads_go_before_many_and_both_before_backfills(
    shop: Workshop, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TVDB_DOCUMENTS_PER_RUN", "2")
    for number in range(10):
        upload(shop, f"{number:02}.pdf", number)
    tick()
    bulk = requests(tick())
    process(shop)
    for number in range(8):
        upload(shop, f"fresh-{number:02}.pdf", 50 + number)
    tick()
    fresh = requests(tick())
    assert [len(bulk), len(fresh)] == [5, 4]
    # Those of a backfill have no priority of their own, which counts as 0.
    assert {request.tags["dagster/priority"] for request in bulk} == {"1"}
    assert {request.tags["dagster/priority"] for request in fresh} == {"2"}


def test_files_a_look_has_no_time_for_are_taken_up_by_the_next_ones(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.0)
    for number in range(3):
        upload(shop, f"{number:02}.pdf", number)
    looks = [watching.look(shop) for _ in range(4)]
    assert [seen.growing for seen in looks] == [3, 2, 1, 0]
    assert [len(seen.stale) for seen in looks] == [0, 1, 2, 3]


def test_a_file_that_grows_is_left_until_it_stops(shop: Workshop, tick: Tick) -> None:
    whole = flowing_pdf(paragraphs(3))
    file = shop.settings.upload_dir / "big.pdf"
    for size in (200, 400, 800):
        file.write_bytes(whole[:size])
        assert requests(tick()) == []
    file.write_bytes(whole)
    assert requests(tick()) == []
    assert len(requests(tick())) == 1


def test_an_unchanged_folder_is_skipped(shop: Workshop, tick: Tick) -> None:
    upload(shop, "a.pdf")
    tick()
    tick()
    process(shop)
    assert isinstance(tick(), dg.SkipReason)


def test_a_changed_file_is_taken_up_again(shop: Workshop, tick: Tick) -> None:
    upload(shop, "a.pdf")
    tick()
    tick()
    process(shop)
    upload(shop, "a.pdf", seed=2)
    tick()
    assert len(requests(tick())) == 1


def test_a_renamed_file_is_searchable_under_its_new_name_before_the_old_one_goes(shop: Workshop, tick: Tick) -> None:
    upload(shop, "old.pdf")
    tick()
    tick()
    process(shop)
    (shop.settings.upload_dir / "old.pdf").rename(shop.settings.upload_dir / "new.pdf")
    tick()
    tick()
    documents = process(shop)
    assert {path: document.vectors for path, document in documents.items()} == {"old.pdf": 1, "new.pdf": 1}
    tick()
    assert [document.path for document in registry.load(shop.database)] == ["new.pdf"]
    assert shop.database.fetch("SELECT count(DISTINCT document_key) FROM tvdb.vector_rows") == [(1,)]


def test_a_removed_file_loses_its_rows_and_its_partition(
    shop: Workshop, tick: Tick, partitions: Callable[[], list[str]]
) -> None:
    upload(shop, "a.pdf")
    upload(shop, "b.pdf", 2)
    tick()
    tick()
    process(shop)
    (shop.settings.upload_dir / "a.pdf").unlink()
    tick()
    assert [document.path for document in registry.load(shop.database)] == ["b.pdf"]
    assert len(partitions()) == 1


def test_a_folder_that_cannot_be_read_removes_nothing(shop: Workshop, tick: Tick) -> None:
    upload(shop, "a.pdf")
    tick()
    tick()
    process(shop)
    shutil.move(shop.settings.upload_dir, shop.settings.upload_dir.with_name("away"))
    assert isinstance(tick(), dg.SkipReason)
    assert len(registry.load(shop.database)) == 1


def test_most_files_gone_at_once_look_like_a_lost_mount_and_are_kept(shop: Workshop, tick: Tick) -> None:
    for number in range(14):
        upload(shop, f"{number:02}.pdf", number)
    tick()
    tick()
    process(shop)
    for file in list(shop.settings.upload_dir.iterdir())[:12]:
        file.unlink()
    result = tick()
    assert isinstance(result, dg.SkipReason)
    assert "12 removals withheld" in (result.skip_message or "")
    assert len(registry.load(shop.database)) == 14


def test_nothing_is_removed_where_removal_is_switched_off(
    shop: Workshop, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TVDB_REMOVE_MISSING", "false")
    upload(shop, "a.pdf")
    tick()
    tick()
    process(shop)
    (shop.settings.upload_dir / "a.pdf").unlink()
    tick()
    # Missed for longer than any grace, while another file is still growing.
    shop.database.run("UPDATE tvdb.observations SET gone_at = now() - interval '1 day'")
    upload(shop, "b.pdf", 2)
    tick()
    assert [document.path for document in registry.load(shop.database)] == ["a.pdf"]
