"""Backups, the checklist and alerts of an installation whose uploads and artifacts lie in object storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.watching import look
from tvdb_pipeline.ingest.workshop import build_workshop
from tvdb_pipeline.operations.alerts import measuring
from tvdb_pipeline.operations.alerts.uploads import uploads
from tvdb_pipeline.operations.backup.copying import back_up
from tvdb_pipeline.operations.backup.restoring import restore
from tvdb_pipeline.operations.readiness import machine
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.object_store import BUCKET, ObjectStore
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs


@pytest.fixture
def stored(settings: Settings, object_storage: ObjectStore) -> Settings:
    """Settings of such an installation, with three documents uploaded."""
    for number in range(3):
        object_storage.upload(f"uploads/{number}.pdf", flowing_pdf(paragraphs(2, seed=number)))
    return elsewhere(settings, BUCKET)


def elsewhere(settings: Settings, bucket: str) -> Settings:
    return settings.model_copy(
        update={
            "upload_url": f"s3://{BUCKET}/uploads",
            "artifact_url": f"s3://{bucket}/artifacts",
            "storage_allow_http": True,
        }
    )


def rows(settings: Settings) -> dict[str, tuple[bool | None, str]]:
    return {
        row.name: (row.passed, row.evidence) for row in machine.rows(settings) if row.name in ("uploads", "artifacts")
    }


def test_a_backup_is_restored_into_other_storage(
    stored: Settings, database: Database, empty: tuple[Settings, str], object_storage: ObjectStore, tmp_path: Path
) -> None:
    shop = build_workshop(stored, database, MockClient())
    list(walk(shop, [document.key for document in look(shop).stale]))
    kept = {name.removeprefix("artifacts/") for name in object_storage.names("artifacts/")}
    assert len(kept) == 9
    done = back_up(stored, database.url, tmp_path / "backups")
    object_storage.client.create_bucket(Bucket="second")
    restored = restore(elsewhere(empty[0], "second"), empty[1], tmp_path / "backups")
    assert restored.artifacts == done.artifacts == 9
    listed = object_storage.client.list_objects_v2(Bucket="second")["Contents"]
    assert {entry["Key"].removeprefix("artifacts/") for entry in listed} == kept
    opened = Database(empty[1]).open()
    again = build_workshop(elsewhere(empty[0], "second"), opened, MockClient())
    assert look(again).stale == [], "what was restored is whole: nothing is made again"
    opened.close()


def test_nothing_is_touched_by_a_restore_whose_storage_is_not_there(
    stored: Settings, database: Database, empty: tuple[Settings, str], tmp_path: Path
) -> None:
    back_up(stored, database.url, tmp_path / "backups")
    with pytest.raises(TvdbError) as refused:
        restore(elsewhere(empty[0], "nowhere"), empty[1], tmp_path / "backups")
    assert refused.value.code == "storage_no_bucket"
    assert not empty[0].home.exists()


def test_the_checklist_has_tried_storage(stored: Settings, object_storage: ObjectStore) -> None:
    assert all(passed for passed, _ in rows(stored).values())
    assert not [name for name in object_storage.names() if not name.startswith("uploads/")], "nothing is left behind"


def test_the_checklist_tells_what_storage_refuses(stored: Settings, object_storage: ObjectStore) -> None:
    found = rows(stored.model_copy(update={"artifact_url": "s3://nowhere/a", "upload_url": "s3://nowhere/u"}))
    assert [passed for passed, _ in found.values()] == [False, False]
    assert all("bucket of the storage URL does not exist" in evidence for _, evidence in found.values())
    object_storage.expired = True
    assert all("redentials" in evidence for _, evidence in rows(stored).values())


def test_uploads_nobody_has_looked_at_wait_and_those_looked_at_do_not(stored: Settings, database: Database) -> None:
    at_once = stored.model_copy(update={"alert_waiting_seconds": 0.0})
    with measuring.connected(stored) as conn:
        assert uploads(conn, stored).waiting == 0, "they have just come"
        assert uploads(conn, at_once).waiting == 3
        look(build_workshop(stored, database, MockClient()))
        assert (uploads(conn, at_once).waiting, uploads(conn, at_once).known) == (0, 3)


def test_storage_that_is_away_is_told_as_uploads_that_cannot_be_read(
    stored: Settings, object_storage: ObjectStore
) -> None:
    with measuring.connected(stored) as conn:
        object_storage.expired = True
        assert uploads(conn, stored).error == "storage_credentials"
