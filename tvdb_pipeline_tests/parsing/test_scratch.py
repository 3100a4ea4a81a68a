"""Scratch folders: gone when they are removed, and gone later when their owner was killed; nothing else is ever touched."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from tvdb_pipeline.parsing.scratch import Scratch, remove_abandoned

TWO_MINUTES = 120


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder, an empty one."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def aged(folder: Path) -> Path:
    then = time.time() - TWO_MINUTES
    os.utime(folder, (then, then), follow_symlinks=False)
    return folder


def abandoned(temporary: Path, name: str = "tvdb-parse-abandoned") -> Path:
    folder = temporary / name
    (folder / "scratch").mkdir(parents=True)
    (folder / "scratch" / "left").write_text("text of a document")
    return aged(folder)


def test_a_folder_is_there_and_then_gone(temporary: Path) -> None:
    scratch = Scratch()
    assert Path(scratch.path).is_dir()
    assert Path(scratch.path).stat().st_mode & 0o777 == 0o700
    (Path(scratch.path) / "file").touch()
    scratch.remove()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_after_a_minute(temporary: Path) -> None:
    abandoned(temporary)
    remove_abandoned()
    assert list(temporary.iterdir()) == []


def test_what_is_young_stays(temporary: Path) -> None:
    folder = abandoned(temporary)
    os.utime(folder)
    remove_abandoned()
    assert folder.is_dir()


def test_what_belongs_to_somebody_alive_stays(temporary: Path) -> None:
    scratch = Scratch()
    aged(Path(scratch.path).parent)
    remove_abandoned()
    assert Path(scratch.path).is_dir()
    scratch.remove()


def test_other_folders_and_files_stay(temporary: Path) -> None:
    other = abandoned(temporary, "other")
    file = temporary / "tvdb-parse-file"
    file.touch()
    aged(file)
    remove_abandoned()
    assert other.is_dir()
    assert file.exists()


def test_links_are_not_followed(temporary: Path, tmp_path: Path) -> None:
    target = abandoned(tmp_path, "target")
    (temporary / "tvdb-parse-link").symlink_to(target)
    aged(temporary / "tvdb-parse-link")
    inside = abandoned(temporary)
    (inside / "scratch" / "link").symlink_to(target)
    aged(inside)
    remove_abandoned()
    assert not inside.exists()
    assert (target / "scratch" / "left").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_folders_of_another_user_stay(temporary: Path) -> None:
    folder = abandoned(temporary)
    os.chown(folder, 1500, 1500)
    aged(folder)
    remove_abandoned()
    assert folder.is_dir()
