"""Which files count as documents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tvdb_pipeline.documents.discovery import discover
from tvdb_pipeline.errors import TvdbError


def names(folder: Path) -> list[str]:
    return [found.path.relative_to(folder).as_posix() for found in discover(folder)]


def fill(folder: Path, *files: str) -> None:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 3)


def test_files_of_a_folder_and_all_below_are_found_in_order_of_their_paths(tmp_path: Path) -> None:
    fill(tmp_path, "b.pdf", "a/z.pdf", "a/b/c.txt", "C.pdf")
    found = discover(tmp_path)
    assert sorted(names(tmp_path)) == ["C.pdf", "a/b/c.txt", "a/z.pdf", "b.pdf"]
    assert [entry.path for entry in found] == sorted(entry.path for entry in found)


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    fill(tmp_path, "a.pdf")
    info = (tmp_path / "a.pdf").stat()
    assert [(found.bytes, found.mtime_ns) for found in discover(tmp_path)] == [(3, info.st_mtime_ns)]


def test_hidden_and_unfinished_files_are_not_documents(tmp_path: Path) -> None:
    fill(tmp_path, "a.pdf", ".hidden.pdf", ".git/b.pdf", "c.pdf.part", "d.tmp", "E.PART", "partial.pdf")
    assert names(tmp_path) == ["a.pdf", "partial.pdf"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "in/a.pdf", "out/b.pdf")
    (tmp_path / "in" / "file.pdf").symlink_to(tmp_path / "out" / "b.pdf")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "dangling.pdf").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path / "in") == ["a.pdf"]


def test_pipes_are_not_documents(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    assert names(tmp_path) == []
    with pytest.raises(TvdbError) as refused:
        discover(tmp_path / "pipe.pdf")
    assert refused.value.code == "not_a_file"


def test_an_ignore_file_holds_for_its_own_folder_only(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", "a.pdf", "drafts/b.pdf", "sub/c.log", "notes #1.txt")
    (tmp_path / ".tvdbignore").write_text("# not documents\n*.log\n\n  drafts  \n")
    assert names(tmp_path) == ["a.pdf", "notes #1.txt", "sub/c.log"]


def test_a_single_file_is_found_by_its_path(tmp_path: Path) -> None:
    fill(tmp_path, "a.pdf")
    assert [found.path for found in discover(tmp_path / "a.pdf")] == [tmp_path / "a.pdf"]


def test_a_link_named_singly_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "a.pdf")
    (tmp_path / "link.pdf").symlink_to(tmp_path / "a.pdf")
    with pytest.raises(TvdbError) as refused:
        discover(tmp_path / "link.pdf")
    assert refused.value.code == "not_a_file"


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert discover(tmp_path) == []


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TvdbError) as refused:
        discover(tmp_path / "gone")
    assert refused.value.code == "not_found"


@contextmanager
def unreadable(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """`folder` refuses to be listed, also to root."""
    real = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        yield


@pytest.mark.parametrize("below", ["", "sub"])
def test_an_unreadable_folder_is_never_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    fill(tmp_path, "a.pdf", "sub/b.pdf")
    with unreadable(monkeypatch, tmp_path / below), pytest.raises(TvdbError) as refused:
        discover(tmp_path)
    assert (refused.value.code, refused.value.retryable) == ("unreadable_folder", True)
    assert str(tmp_path) not in refused.value.message


def test_a_file_that_goes_while_the_folder_is_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.pdf", "b.pdf", "going.pdf")
    real = os.scandir

    @contextmanager
    def scandir(path: Any) -> Iterator[list[Any]]:
        with real(path) as entries:
            listed = list(entries)
        for entry in listed:
            entry.is_file(follow_symlinks=False)
        (tmp_path / "going.pdf").unlink(missing_ok=True)
        yield listed

    monkeypatch.setattr(os, "scandir", scandir)
    assert names(tmp_path) == ["a.pdf", "b.pdf"]


def test_what_lies_too_deep_is_left_out_and_hides_nothing_else(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a"] * 105)
    deep.mkdir(parents=True)
    for folder in (deep, tmp_path, deep.parents[50]):
        (folder / f"{len(folder.parts)}.txt").write_text("x")
    found = {len(file.path.parts) for file in discover(tmp_path)}
    assert found == {len(tmp_path.parts) + 1, len(deep.parents[50].parts) + 1}
