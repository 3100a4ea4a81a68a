"""Object storage as it is spoken to: pages, conditions, and faults by their names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.storage.bucket import Bucket
from tvdb_pipeline.storage.refusals import ObjectChanged, StorageAway, UnlistableName
from tvdb_pipeline.storage.urls import is_url, open_bucket
from tvdb_pipeline_tests.object_store import BUCKET, ObjectStore


@pytest.fixture
def bucket(object_storage: ObjectStore) -> Bucket:
    return open_bucket(f"s3://{BUCKET}/uploads", allow_http=True)


def test_pages_hold_every_object_below_the_url_once_in_order_of_names(
    object_storage: ObjectStore, bucket: Bucket
) -> None:
    names = sorted(f"{number % 7}/policy {number:04}.txt" for number in range(1203))
    for name in names:
        object_storage.upload(f"uploads/{name}", b"text")
    object_storage.upload("uploads-elsewhere/policy.txt", b"text")
    pages = list(bucket.pages())
    assert [found.name for page in pages for found in page] == names
    assert [len(page) for page in pages] == [1000, 203]
    after = [found.name for page in bucket.pages(after=names[1199]) for found in page]
    assert after == names[1200:]
    below = [found.name for page in bucket.pages(below="3") for found in page]
    assert below == [name for name in names if name.startswith("3/")]


def test_what_is_read_is_what_was_seen_or_nothing(object_storage: ObjectStore, bucket: Bucket) -> None:
    object_storage.upload("uploads/a.txt", b"the first version")
    seen = bucket.head("a.txt")
    assert (seen.bytes, bucket.beginning(seen, 3)) == (17, b"the")
    assert b"".join(bucket.blocks("a.txt", seen.mark)) == b"the first version"
    object_storage.upload("uploads/a.txt", b"another version")
    with pytest.raises(ObjectChanged):
        list(bucket.blocks("a.txt", seen.mark))
    with pytest.raises(ObjectChanged):
        bucket.beginning(seen, 3)
    assert bucket.head("a.txt").mark != seen.mark


def test_an_object_is_created_once(object_storage: ObjectStore, bucket: Bucket, tmp_path: Path) -> None:
    file = tmp_path / "one"
    file.write_bytes(b"one")
    assert bucket.create("kept", file)
    assert not bucket.create("kept", b"two")
    assert b"".join(bucket.blocks("kept")) == b"one"
    bucket.remove("kept")
    bucket.remove("kept")
    with pytest.raises(FileNotFoundError):
        bucket.head("kept")


def test_an_empty_object_is_read_without_asking_for_a_range_of_it(object_storage: ObjectStore, bucket: Bucket) -> None:
    object_storage.upload("uploads/empty.pdf", b"")
    assert bucket.beginning(bucket.head("empty.pdf"), 100) == b""
    assert b"".join(bucket.blocks("empty.pdf")) == b""


def test_expired_credentials_are_named(object_storage: ObjectStore, bucket: Bucket) -> None:
    object_storage.upload("uploads/a.txt", b"text")
    object_storage.expired = True
    for ask in (lambda: bucket.head("a.txt"), lambda: list(bucket.pages()), lambda: bucket.create("b", b"text")):
        with pytest.raises(StorageAway) as refused:
            ask()
        assert refused.value.code == "storage_credentials"
    with pytest.raises(StorageAway) as refused:
        list(bucket.pages())
    assert refused.value.code == "storage_credentials"


def test_a_server_that_is_away_is_named(object_storage: ObjectStore, bucket: Bucket) -> None:
    object_storage.stop()
    try:
        with pytest.raises(StorageAway) as refused:
            list(bucket.pages())
        assert refused.value.code == "storage_unreachable"
        assert "127.0.0.1" not in refused.value.message
    finally:
        object_storage.start()


def test_a_bucket_that_is_not_there_is_named(object_storage: ObjectStore) -> None:
    absent = open_bucket("s3://absent/uploads", allow_http=True)
    with pytest.raises(StorageAway) as refused:
        list(absent.pages())
    assert refused.value.code == "storage_no_bucket"


def test_a_name_with_empty_parts_hides_only_what_lies_in_its_folder(
    object_storage: ObjectStore, bucket: Bucket
) -> None:
    for name in ("a.txt", "b//c.txt", "b/c.txt", "d/e/f.txt", "z.txt"):
        object_storage.upload(f"uploads/{name}", b"text")
    with pytest.raises(UnlistableName):
        list(bucket.pages())
    folders = [objects and [found.name for found in objects] for objects in bucket.folders()]
    assert folders == [["a.txt", "z.txt"], None, [], ["d/e/f.txt"]]


def test_a_folder_all_machines_share_is_storage_too(tmp_path: Path) -> None:
    shared = open_bucket(f"file://{tmp_path}")
    assert shared.create("chunks/ab/abc", b"content")
    assert not shared.create("chunks/ab/abc", b"other")
    assert [found.name for page in shared.pages() for found in page] == ["chunks/ab/abc"]
    shared.remove("chunks/ab/abc")
    with pytest.raises(FileNotFoundError):
        list(shared.blocks("chunks/ab/abc"))


def test_a_folder_that_is_not_mounted_is_named_and_not_made_anew(tmp_path: Path) -> None:
    mount = tmp_path / "mnt" / "shared"
    shared = open_bucket(f"file://{mount}")
    refuses_all(shared)
    mount.mkdir(parents=True)
    assert shared.create("chunks/ab/abc", b"content")
    shared.remove("chunks/ab/abc")
    shutil.rmtree(mount)
    refuses_all(shared)
    assert not mount.exists()


def refuses_all(shared: Bucket) -> None:
    for use in (
        lambda: shared.create("chunks/ab/abc", b"content"),
        lambda: list(shared.pages()),
        lambda: list(shared.folders()),
        lambda: shared.head("chunks/ab/abc"),
        lambda: list(shared.blocks("chunks/ab/abc")),
        lambda: shared.remove("chunks/ab/abc"),
    ):
        with pytest.raises(StorageAway) as refused:
            use()
        assert refused.value.code == "storage_no_folder"


def test_urls_are_told_from_paths() -> None:
    assert [is_url(text) for text in ("s3://b/c", "gs://b", "az://b", "data/uploads", "/s3:/b", "http://b")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
    with pytest.raises(TvdbError) as refused:
        open_bucket("s3://")
    assert refused.value.code == "bad_setting"
