"""A backup is whole or none, and what is read back is what was there."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import psycopg
import pytest

from tvdb_pipeline.budget.orders import Order, Share
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.claims import Claims
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.operations import audit
from tvdb_pipeline.operations.backup import contents, manifest
from tvdb_pipeline.operations.backup.copying import Backup, back_up
from tvdb_pipeline.operations.backup.drill import drill
from tvdb_pipeline.operations.backup.restoring import MARK, restore
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.prose import paragraphs

QUERY = "hot air balloons"


@pytest.fixture
def filled(shop: Workshop) -> Workshop:
    """Three documents, ingested."""
    write(shop, *range(3))
    (shop.settings.home / "slips").mkdir(parents=True)
    (shop.settings.home / "slips" / "left").write_bytes(b"an answer")
    return shop


def write(shop: Workshop, *numbers: int) -> None:
    for number in numbers:
        (shop.settings.upload_dir / f"{number}.txt").write_text("\n\n".join(paragraphs(6, seed=number)))
    list(walk(shop, make_plan(shop, [shop.settings.upload_dir]).stale))


def back(shop: Workshop, folder: Path, keep: int = 0) -> Backup:
    return back_up(shop.settings, shop.database.url, folder, keep)


def look(url: str) -> dict[str, tuple[int, str]]:
    with psycopg.connect(url) as conn:
        return contents.tables(conn)


def shop_at(place: tuple[Settings, str]) -> tuple[Workshop, Database]:
    database = Database(place[1]).open()
    return build_workshop(place[0], database, MockClient()), database


def test_what_is_restored_is_what_was_there_and_the_next_ingest_finds_it_unchanged(
    filled: Workshop, empty: tuple[Settings, str], tmp_path: Path
) -> None:
    before = look(filled.database.url)
    found = [passage.text for passage in answer(filled, QUERY, 3, "vector").passages]
    anchor = audit.verify(filled.database).last
    done = back(filled, tmp_path / "backups")
    write(filled, 3)
    restored = restore(empty[0], empty[1], tmp_path / "backups")
    after = look(empty[1])
    changed = {"tvdb.safekeeping", "tvdb.audit"} | {name for name in after if name.startswith("dagster.")}
    assert {name: value for name, value in after.items() if name not in changed} == {
        name: value for name, value in before.items() if name not in changed
    }
    assert (restored.documents, restored.artifacts) == (done.documents, done.artifacts) == (3, 9)
    assert (empty[0].home / "slips" / "left").read_bytes() == b"an answer"
    shop, database = shop_at(empty)
    assert audit.verify(database, anchor).passed
    assert [entry["action"] for entry in audit.entries(database)].count("restored") == 1
    assert [passage.text for passage in answer(shop, QUERY, 3, "vector").passages] == found
    plan = make_plan(shop, [shop.settings.upload_dir])
    assert len(plan.keys) == 4, "the document newer than the backup is found again in the upload folder"
    assert len(plan.stale) == 1
    database.close()


def test_what_was_reserved_counts_as_spent_and_what_was_claimed_goes_on(
    filled: Workshop, empty: tuple[Settings, str], tmp_path: Path
) -> None:
    held, sent = (
        filled.ledger.reserve("text-embedding-3-small", Order(1, tokens, "documents", {"a": Share(1, tokens)}))
        for tokens in (10, 32)
    )
    filled.ledger.mark_sent(sent)
    keys = [document.key for document in registry.load(filled.database)]
    with Claims(filled.database) as claims:
        claims.take(keys)
        back(filled, tmp_path / "backups")
    assert restore(empty[0], empty[1], tmp_path / "backups").charged == 2
    shop, database = shop_at(empty)
    rows = database.fetch("SELECT id, state FROM tvdb.requests WHERE id = ANY(%s)", ([held, sent],))
    assert dict(rows) == {held: "charged_unknown", sent: "charged_unknown"}
    state = shop.ledger.state()
    assert (state.spent_nano, state.held_nano) == (42 * 20, 0)
    with Claims(database) as claims:
        assert set(claims.take(keys)) == set(keys)
    database.close()


@pytest.mark.parametrize("place", ["database.dump", "manifest.json", "artifacts", "slips"])
def test_a_flipped_byte_is_refused_before_anything_is_touched(
    filled: Workshop, empty: tuple[Settings, str], tmp_path: Path, place: str
) -> None:
    folder = back(filled, tmp_path / "backups").folder
    file = next(path for path in [folder / place, *(folder / place).rglob("*")] if path.is_file())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(TvdbError) as refused:
        restore(empty[0], empty[1], folder)
    assert refused.value.code == "backup_damaged"
    assert not empty[0].home.exists()
    with psycopg.connect(empty[1]) as conn:
        assert conn.execute("SELECT to_regnamespace('tvdb')").fetchone() == (None,)


def test_a_missing_file_is_refused(filled: Workshop, empty: tuple[Settings, str], tmp_path: Path) -> None:
    folder = back(filled, tmp_path / "backups").folder
    next(path for path in (folder / "artifacts").rglob("*") if path.is_file()).unlink()
    with pytest.raises(TvdbError, match="an artifact of stage"):
        restore(empty[0], empty[1], folder)


def test_half_of_a_backup_is_never_taken_for_one(filled: Workshop, empty: tuple[Settings, str], tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    whole = back(filled, backups).folder
    killed = backups / f"99991231T000000.000000Z{manifest.PARTIAL}"
    shutil.copytree(whole, killed)
    assert manifest.newest(backups) == whole
    later = back(filled, backups, keep=1)
    assert [path.name for path in backups.iterdir()] == [later.folder.name]
    assert later.removed == 1
    with pytest.raises(TvdbError) as refused:
        restore(empty[0], empty[1], tmp_path / "nothing")
    assert refused.value.code == "no_backup"


def test_a_place_in_use_is_left_alone_and_one_half_restored_is_cleaned(
    filled: Workshop, empty: tuple[Settings, str], tmp_path: Path
) -> None:
    back(filled, tmp_path / "backups")
    before = look(filled.database.url)
    with pytest.raises(TvdbError) as refused:
        restore(filled.settings, filled.database.url, tmp_path / "backups")
    assert (refused.value.code, look(filled.database.url)) == ("not_empty", before)
    restore(empty[0], empty[1], tmp_path / "backups")
    (empty[0].home / MARK).touch()
    (empty[0].home / "artifacts" / "stray").write_text("of the one before")
    assert restore(empty[0], empty[1], tmp_path / "backups").documents == 3
    assert not (empty[0].home / "artifacts" / "stray").exists()


def test_a_backup_is_whole_while_documents_come_and_change(
    filled: Workshop, empty: tuple[Settings, str], tmp_path: Path
) -> None:
    stop = threading.Event()

    def churn() -> None:
        number = 10
        while not stop.is_set():
            write(filled, number % 3)
            (filled.settings.upload_dir / f"{number % 3}.txt").write_text("\n\n".join(paragraphs(4, seed=number)))
            number += 1

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        folders = [back(filled, tmp_path / "backups").folder for _ in range(4)]
    finally:
        stop.set()
        worker.join()
    for folder in folders:
        made = manifest.read(folder)
        manifest.verify(folder, made)
        kept = sum(name.startswith("artifacts/") for name in made.files)
        assert kept + made.absent >= 3
    assert restore(empty[0], empty[1], folders[-1]).documents == 3


def test_a_drill_compares_and_leaves_nothing(filled: Workshop, tmp_path: Path, server_url: str) -> None:
    back(filled, tmp_path / "backups")
    with psycopg.connect(server_url) as conn:
        before = conn.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()
    held = drill(filled.settings, filled.database.url, tmp_path / "backups")
    assert held.passed
    assert {"tvdb.vector_rows", "tvdb.requests", "indexes", "artifacts"} <= {what for what, *_ in held.rows}
    with psycopg.connect(server_url) as conn:
        assert conn.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall() == before
    kinds = filled.database.fetch("SELECT kind, passed FROM tvdb.safekeeping ORDER BY id")
    assert kinds == [("backup", True), ("drill", True)]


def test_files_of_a_backup_are_for_their_owner_alone(filled: Workshop, tmp_path: Path) -> None:
    folder = back(filled, tmp_path / "backups").folder
    assert {path.name for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077} == set()
