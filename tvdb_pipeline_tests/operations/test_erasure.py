"""After a document is erased, none of the words planted in it is found anywhere; nor after an older backup is restored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import dagster as dg
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import erasure_lists, registry
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.operations.backup.copying import back_up
from tvdb_pipeline.operations.backup.drill import drill
from tvdb_pipeline.operations.backup.restoring import restore
from tvdb_pipeline.operations.ingestion import delete_document, ingest_paths
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.planted import hits
from tvdb_pipeline_tests.prose import paragraphs

WORDS = ("Quibblewort", "Snorkelfen", "Mandrivax", "Trellagosh", "Wexborrow")
TEXT, NAME, SUBJECT, ATTACHED, ATTACHED_NAME = WORDS
SHARED = "The zephyr clause insures hot air balloons against sudden gusts."


class Silent:
    """Nobody watches the run."""

    def expect(self, documents: int) -> None: ...
    def tell(self, outcome: StageOutcome) -> None: ...


@dataclass
class House:
    """Documents with planted words, ingested through Dagster, and a neighbour that shares bytes, text and vectors with one.

    backup: made before anything was erased.
    """

    shop: Workshop
    backup: Path
    neighbour: str

    @property
    def planted_files(self) -> list[Path]:
        return [path for path in self.shop.settings.upload_dir.iterdir() if path.name != "neighbour.txt"]

    def ingest(self) -> None:
        ingest_paths(self.shop, make_plan(self.shop, [self.shop.settings.upload_dir]), Silent())

    def found(self, *more: Path) -> list[str]:
        return hits(self.shop.database.url, [self.shop.settings.home, *more], WORDS)


@pytest.fixture
def house(make_shop: Callable[..., Workshop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    shop = make_shop(key_style="opaque", backup_dir=tmp_path / "backups")
    uploads = shop.settings.upload_dir
    # Where runs read their settings.
    for name, value in {
        "UPLOAD_DIR": uploads,
        "SERVICE_MODE": "MOCK",
        "KEY_STYLE": "opaque",
        "PARSE_WORKERS": 1,
    }.items():
        monkeypatch.setenv(f"TVDB_{name}", str(value))
    mail = EmailMessage()
    mail["Subject"], mail["From"] = SUBJECT, f"{SUBJECT}@example.com"
    mail.set_content("Please find the letter attached.")
    mail.add_attachment(f"The letter of {ATTACHED}.", filename=f"{ATTACHED_NAME}.txt")
    (uploads / "message.eml").write_bytes(mail.as_bytes())
    (uploads / "report.txt").write_text("\n\n".join([*paragraphs(3), f"The report on {TEXT}.", SHARED]))
    for name in (f"{NAME}.txt", "neighbour.txt"):
        (uploads / name).write_text(SHARED)
    made = House(shop, tmp_path / "backups", "")
    made.ingest()
    documents = {document.path: document for document in registry.load(shop.database)}
    assert {document.state for document in documents.values()} == {"ready"}
    made.neighbour = documents["neighbour.txt"].key
    back_up(shop.settings, shop.database.url, made.backup)
    return made


def is_whole(shop: Workshop, key: str) -> None:
    (document,) = registry.load(shop.database, [key])
    assert (document.state, document.vectors) == ("ready", 1)
    assert shop.artifacts.get("chunks", document.versions["chunks"])
    for mode in ("vector", "lexical"):
        assert answer(shop, SHARED, 1, mode).passages[0].key == key


def partitions(shop: Workshop) -> list[str]:
    with open_instance(shop.settings, shop.database.url) as instance:
        return list(instance.get_dynamic_partitions(PARTITIONS_NAME))


def test_words_of_an_erased_document_are_found_nowhere_nor_after_an_older_backup_is_restored(
    house: House, empty: tuple[Settings, str]
) -> None:
    shop = house.shop
    places = {place.partition(":")[0] for place in house.found(house.backup)}
    assert {"tvdb.documents.path", "tvdb.vector_rows.text"} < places
    assert any(str(shop.settings.home) in place for place in places)
    assert {found.rpartition(" ")[2] for found in house.found()} == set(WORDS)
    for file in house.planted_files:
        file.unlink()
    keys = [document.key for document in registry.load(shop.database) if document.key != house.neighbour]
    roots = [document.key for document in registry.load(shop.database, keys) if document.parent_key is None]
    assert len(keys) == len(roots) + 1
    for key in roots:
        delete_document(shop, key)
    assert house.found() == []
    assert partitions(shop) == [house.neighbour]
    with open_instance(shop.settings, shop.database.url) as instance:
        kept = instance.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.ASSET_MATERIALIZATION))
    assert {record.partition_key for record in kept} == {house.neighbour}
    is_whole(shop, house.neighbour)
    assert shop.database.fetch("SELECT count(*) FROM tvdb.texts_to_forget") == [(0,)]
    assert shop.database.fetch("SELECT count(*) FROM tvdb.former_artifacts") == [(0,)]

    settings = empty[0].model_copy(update={"backup_dir": house.backup, "key_style": "opaque"})
    assert drill(shop.settings, shop.database.url, house.backup).passed
    restored = restore(settings, empty[1], house.backup)
    assert restored.erased == len(keys)
    assert hits(empty[1], [settings.home], WORDS) == []
    database = Database(empty[1]).open()
    again = build_workshop(settings, database, MockClient())
    is_whole(again, house.neighbour)
    assert partitions(again) == [house.neighbour]
    database.close()


def test_words_of_files_that_vanished_are_found_nowhere(house: House) -> None:
    for file in house.planted_files:
        file.unlink()
    house.ingest()
    assert house.found() == []
    is_whole(house.shop, house.neighbour)
    assert house.shop.database.fetch("SELECT count(*) FROM tvdb.embedding_cache") == [(1,)]
    assert partitions(house.shop) == [house.neighbour]
    assert {erasure.reason for erasure in erasure_lists.read(house.shop.settings.home)} == {"vanished"}


@pytest.fixture
def letter(shop: Workshop) -> str:
    """The key of one document, ingested."""
    (shop.settings.upload_dir / "letter.txt").write_text(SHARED)
    return walked(shop)


def walked(shop: Workshop) -> str:
    plan = make_plan(shop, [shop.settings.upload_dir])
    list(walk(shop, plan.stale))
    return plan.keys[0]


def test_what_was_taken_up_again_after_it_was_erased_is_restored(
    shop: Workshop, letter: str, empty: tuple[Settings, str], tmp_path: Path
) -> None:
    remove(shop, [letter], "command")
    walked(shop)
    back_up(shop.settings, shop.database.url, tmp_path / "backups")
    assert [(listed.key, listed.reason) for listed in erasure_lists.read(tmp_path / "backups")] == [(letter, "command")]
    restored = restore(empty[0], empty[1], tmp_path / "backups")
    assert (restored.erased, restored.documents) == (0, 1)


def test_a_list_of_erased_documents_that_cannot_be_read_is_no_empty_one(
    make_shop: Callable[..., Workshop], letter: str, empty: tuple[Settings, str], tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    shop = make_shop(backup_dir=backups)
    back_up(shop.settings, shop.database.url, backups)
    (backups / erasure_lists.FILE).mkdir()
    with pytest.raises(TvdbError) as refused:
        restore(empty[0], empty[1], backups)
    assert refused.value.code == "erasures_unreadable"
    assert not empty[0].home.exists()
    assert remove(shop, [letter], "command") == 1
    assert [erasure.key for erasure in erasure_lists.read(shop.settings.home)] == [letter]
    (backups / erasure_lists.FILE).rmdir()
    back_up(shop.settings, shop.database.url, backups)
    assert [erasure.key for erasure in erasure_lists.read(backups)] == [letter]
