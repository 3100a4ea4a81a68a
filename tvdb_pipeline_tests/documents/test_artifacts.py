"""The artifact store: complete or absent, damaged is absent."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from tvdb_pipeline.documents.artifacts import ArtifactStore
from tvdb_pipeline.errors import TvdbError

VERSION = "ab" + "0" * 62


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_put_comes_back(store: ArtifactStore) -> None:
    body = b"text " * 10_000
    store.put("parsed_text", VERSION, body)
    assert store.has("parsed_text", VERSION)
    assert store.get("parsed_text", VERSION) == body
    assert store.path("parsed_text", VERSION).stat().st_size < len(body) / 10


def test_stages_do_not_share_artifacts(store: ArtifactStore) -> None:
    store.put("parsed_text", VERSION, b"one")
    assert store.get("chunks", VERSION) is None
    assert not store.has("chunks", VERSION)


def test_a_second_put_replaces_the_first(store: ArtifactStore) -> None:
    store.put("chunks", VERSION, b"one")
    store.put("chunks", VERSION, b"two")
    assert store.get("chunks", VERSION) == b"two"


@pytest.mark.parametrize("keep", [0, 1, 20])
def test_a_truncated_artifact_counts_as_absent(store: ArtifactStore, keep: int) -> None:
    store.put("chunks", VERSION, os.urandom(500))
    path = store.path("chunks", VERSION)
    path.write_bytes(path.read_bytes()[:keep])
    assert store.get("chunks", VERSION) is None


def test_an_artifact_with_a_flipped_bit_counts_as_absent(store: ArtifactStore) -> None:
    store.put("chunks", VERSION, os.urandom(500))
    path = store.path("chunks", VERSION)
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 4
    path.write_bytes(damaged)
    assert store.get("chunks", VERSION) is None


def test_a_put_that_fails_leaves_the_old_artifact_and_no_rubbish(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("chunks", VERSION, b"old")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(TvdbError) as refused:
            store.put("chunks", VERSION, b"new")
    assert (refused.value.code, refused.value.retryable) == ("disk", True)
    assert store.get("chunks", VERSION) == b"old"
    assert files(tmp_path) == [store.path("chunks", VERSION)]


def test_a_kept_file_lies_under_its_content_hash_unchanged(store: ArtifactStore, tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    body = os.urandom(3 << 20)
    source.write_bytes(body)
    digest, size = store.keep_file(source)
    assert (digest, size) == (hashlib.sha256(body).hexdigest(), len(body))
    assert store.path("raw_file", digest).read_bytes() == body
    assert source.read_bytes() == body


def test_equal_bytes_under_two_names_are_kept_once(store: ArtifactStore, tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / name).write_bytes(b"same")
    assert store.keep_file(tmp_path / "a.pdf") == store.keep_file(tmp_path / "b.pdf")
    assert len(files(tmp_path / "artifacts")) == 1


@pytest.mark.parametrize("change", ["append", "truncate", "rewrite"])
def test_a_file_that_changes_while_it_is_read_is_still_growing(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(b"x" * 1000)
    os.utime(source, ns=(10**18, 10**18))
    real = os.fsync

    def fsync(descriptor: int) -> None:
        # The copy was written, the source not looked at again: this is when a slow upload goes on.
        if change == "append":
            source.write_bytes(b"x" * 2000)
        elif change == "truncate":
            source.write_bytes(b"")
        else:
            source.write_bytes(b"y" * 1000)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(TvdbError) as refused:
        store.keep_file(source)
    assert (refused.value.code, refused.value.retryable) == ("still_growing", True)


def test_a_file_that_went_is_named_so(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(TvdbError) as refused:
        store.keep_file(tmp_path / "gone.pdf")
    assert (refused.value.code, refused.value.retryable) == ("file_gone", True)


def test_a_link_is_not_followed(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link.pdf").symlink_to(tmp_path / "secret")
    with pytest.raises(TvdbError) as refused:
        store.keep_file(tmp_path / "link.pdf")
    assert refused.value.code == "unreadable"
    assert files(tmp_path / "artifacts") == []


def test_a_full_disk_while_keeping_a_file_leaves_no_rubbish(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(TvdbError) as refused:
        store.keep_file(tmp_path / "a.pdf")
    assert refused.value.code == "disk"
    assert files(tmp_path / "artifacts") == []


def test_removing_is_repeatable(store: ArtifactStore) -> None:
    store.put("chunks", VERSION, b"x")
    store.remove("chunks", VERSION)
    store.remove("chunks", VERSION)
    assert not store.has("chunks", VERSION)


def test_what_a_killed_process_was_writing_is_swept_away_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    store.put("chunks", "a" * 64, b"whole")
    for name, age in (("left", 7200), ("fresh", 0)):
        file = tmp_path / ".incoming" / name
        file.write_bytes(b"half")
        os.utime(file, (time.time() - age, time.time() - age))
    assert store.sweep() == 1
    assert [file.name for file in (tmp_path / ".incoming").iterdir()] == ["fresh"]
    assert store.get("chunks", "a" * 64) == b"whole"
