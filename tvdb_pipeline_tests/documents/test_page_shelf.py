"""The shelf: pages come back as they were kept; what is damaged counts as not read; forgetting leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvdb_pipeline.documents.page_shelf import PageShelf
from tvdb_pipeline.errors import TvdbError


@pytest.fixture
def shelf(tmp_path: Path) -> PageShelf:
    return PageShelf(tmp_path, "key", "v1")


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_document_not_begun_has_no_pages(shelf: PageShelf) -> None:
    assert shelf.kept() == (0, {})


def test_ranges_are_found_again_together(shelf: PageShelf) -> None:
    shelf.keep(9, {4: b"{four}", 5: b"{five}"})
    shelf.keep(9, {1: b"{one}"})
    assert shelf.kept() == (9, {1: b"{one}", 4: b"{four}", 5: b"{five}"})


@given(st.lists(st.binary().map(lambda body: body.hex().encode()), min_size=1, max_size=5))
def test_records_keep_every_byte(tmp_path_factory: pytest.TempPathFactory, records: list[bytes]) -> None:
    shelf = PageShelf(tmp_path_factory.mktemp("shelf"), "key", "v1")
    pages = dict(enumerate(records, 1))
    shelf.keep(len(pages), pages)
    assert shelf.kept() == (len(pages), pages)


def test_versions_and_documents_are_apart(tmp_path: Path, shelf: PageShelf) -> None:
    shelf.keep(3, {1: b"{}"})
    assert PageShelf(tmp_path, "key", "v2").kept() == (0, {})
    assert PageShelf(tmp_path, "other", "v1").kept() == (0, {})


@pytest.mark.parametrize("damage", [b"", b"garbage", b"x\x9c\x03"], ids=["empty", "garbage", "cut"])
def test_a_damaged_range_counts_as_not_read(tmp_path: Path, shelf: PageShelf, damage: bytes) -> None:
    shelf.keep(9, {1: b"{one}"})
    shelf.keep(9, {4: b"{four}"})
    files(tmp_path)[0].write_bytes(damage)
    assert shelf.kept() == (9, {4: b"{four}"})


def test_a_turned_bit_counts_as_not_read(tmp_path: Path, shelf: PageShelf) -> None:
    shelf.keep(9, {1: b"{one}" * 50})
    (file,) = files(tmp_path)
    for at in range(file.stat().st_size):
        body = bytearray(file.read_bytes())
        body[at] ^= 4
        (tmp_path / "key" / "v1" / "9-1").write_bytes(body)
        _, pages = shelf.kept()
        assert pages in ({}, {1: b"{one}" * 50})
        body[at] ^= 4
        file.write_bytes(body)


def test_what_a_killed_writer_left_is_not_looked_at(tmp_path: Path, shelf: PageShelf) -> None:
    shelf.keep(9, {1: b"{one}"})
    (tmp_path / "key" / "v1" / ".half").write_bytes(b"9")
    assert shelf.kept() == (9, {1: b"{one}"})


def test_forgetting_takes_every_version_along(tmp_path: Path, shelf: PageShelf) -> None:
    shelf.keep(9, {1: b"{one}"})
    PageShelf(tmp_path, "key", "v2").keep(9, {1: b"{one}"})
    PageShelf(tmp_path, "key", "").forget()
    assert list(tmp_path.iterdir()) == []
    shelf.forget()


def test_a_page_that_cannot_be_kept_is_told_and_leaves_nothing(tmp_path: Path, shelf: PageShelf) -> None:
    (tmp_path / "key" / "v1" / "9-1").mkdir(parents=True)  # in the way of the file
    with pytest.raises(TvdbError) as told:
        shelf.keep(9, {1: b"{one}"})
    assert (told.value.code, told.value.retryable, told.value.kind) == ("disk", True, "system")
    assert str(tmp_path) not in told.value.message
    assert files(tmp_path) == []
    assert shelf.kept() == (0, {}), "nor does it hide the others"


def test_a_file_is_complete_before_it_has_its_name(tmp_path: Path, shelf: PageShelf) -> None:
    shelf.keep(9, {1: b"{one}", 2: b"{two}"})
    assert [path.name for path in files(tmp_path)] == ["9-1"]
    assert files(tmp_path)[0].stat().st_mode & 0o077 == 0, "text of a document is for its owner"
