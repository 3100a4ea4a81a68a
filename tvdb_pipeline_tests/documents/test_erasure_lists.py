"""Lists of what was erased, outside the database."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import erasure_lists, registry, tombstones
from tvdb_pipeline.documents.tombstones import Erasure

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST, SECOND = Erasure("a-1", NOON, "command"), Erasure("b-2", NOON + timedelta(hours=1), "vanished")


def lines(folder: Path) -> int:
    return len((folder / erasure_lists.FILE).read_text().splitlines())


def test_a_list_says_what_it_was_told_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert erasure_lists.read(tmp_path) == []
    erasure_lists.add(tmp_path, [FIRST])
    erasure_lists.add(tmp_path, [FIRST, SECOND])
    assert erasure_lists.read(tmp_path) == [FIRST, SECOND]
    assert lines(tmp_path) == 2
    assert stat.S_IMODE((tmp_path / erasure_lists.FILE).stat().st_mode) == 0o600


def test_a_document_erased_again_is_listed_again_and_its_last_time_counts(tmp_path: Path) -> None:
    later = FIRST._replace(erased_at=NOON + timedelta(days=1))
    for erasure in (FIRST, later, FIRST):
        erasure_lists.add(tmp_path, [erasure])
    assert erasure_lists.read(tmp_path) == [later]
    assert lines(tmp_path) == 2


def test_half_a_line_of_a_killed_process_hides_no_other(tmp_path: Path) -> None:
    erasure_lists.add(tmp_path, [FIRST])
    file = tmp_path / erasure_lists.FILE
    whole = file.read_bytes()
    file.write_bytes(b'[]\n{"key": "../up"}\nnull\n' + whole + whole[: len(whole) // 2])
    erasure_lists.add(tmp_path, [SECOND])
    assert erasure_lists.read(tmp_path) == [FIRST, SECOND]


def test_lists_of_several_folders_are_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    later = FIRST._replace(erased_at=NOON + timedelta(days=1))
    erasure_lists.add(one, [FIRST, SECOND])
    erasure_lists.add(other, [later])
    assert set(erasure_lists.united([one, None, other, tmp_path / "absent"])) == {later, SECOND}


def test_a_folder_that_could_not_be_written_gets_what_it_lacks_the_next_time(
    database: Database, tmp_path: Path
) -> None:
    broken, absent = tmp_path / "broken", tmp_path / "absent"
    (broken / erasure_lists.FILE).mkdir(parents=True)
    with database.connection() as conn:
        registry.register(conn, [("a-1", "a.pdf", None)])
        tombstones.add(conn, ["a-1"], "command", {})
    erasure_lists.write(database, [broken, absent, None])
    assert not absent.exists()
    (broken / erasure_lists.FILE).rmdir()
    erasure_lists.write(database, [broken])
    assert [erasure.key for erasure in erasure_lists.read(broken)] == ["a-1"]
