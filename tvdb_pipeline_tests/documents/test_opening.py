"""What lies in an upload's place is opened only where it is a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tvdb_pipeline.documents.opening import open_regular


def test_a_file_is_opened_for_reading(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    with os.fdopen(open_regular(tmp_path / "a.txt")) as file:
        assert file.read() == "text"


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "nothing"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "upload.pdf"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/etc/hostname")
    elif kind == "folder":
        path.mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match=r"Errno|regular"):
        open_regular(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
