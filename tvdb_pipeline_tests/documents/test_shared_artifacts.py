"""Artifacts that machines share: what one keeps, the others have; what is nowhere is made again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tvdb_pipeline.documents.artifacts import ArtifactStore, name_of
from tvdb_pipeline.documents.shared_artifacts import UNUSED_SECONDS, SharedArtifacts
from tvdb_pipeline.storage.refusals import StorageAway
from tvdb_pipeline.storage.urls import open_bucket
from tvdb_pipeline_tests.object_store import BUCKET, ObjectStore

Machines = Callable[[str], SharedArtifacts]


@pytest.fixture
def machine(object_storage: ObjectStore, tmp_path: Path) -> Machines:
    bucket = open_bucket(f"s3://{BUCKET}/artifacts", allow_http=True)
    return lambda name: SharedArtifacts(tmp_path / name, bucket)


def test_what_one_machine_keeps_another_reads(machine: Machines, tmp_path: Path) -> None:
    one, two = machine("one"), machine("two")
    upload = tmp_path / "policy.pdf"
    upload.write_bytes(b"%PDF-1.7 policy")
    digest, size = one.keep_file(upload)
    one.put("chunks", "c" * 64, b"[]")
    attached = one.keep_bytes(b"attachment")
    assert size == 15
    assert two.has("raw_file", digest)
    assert two.get("chunks", "c" * 64) == b"[]"
    assert two.at_hand("raw_file", digest).read_bytes() == b"%PDF-1.7 policy"
    assert two.at_hand("raw_file", attached).read_bytes() == b"attachment"
    assert two.at_hand("raw_file", digest).stat().st_mode & 0o777 == 0o600


def test_what_is_nowhere_is_absent(machine: Machines) -> None:
    one = machine("one")
    assert not one.has("chunks", "d" * 64)
    assert one.get("chunks", "d" * 64) is None
    assert not one.at_hand("chunks", "d" * 64).exists()


def test_what_is_removed_is_gone_from_storage_and_from_here(machine: Machines, object_storage: ObjectStore) -> None:
    one = machine("one")
    one.put("chunks", "e" * 64, b"[]")
    one.remove("chunks", "e" * 64)
    one.remove("chunks", "e" * 64)
    assert not one.has("chunks", "e" * 64)
    assert object_storage.names("artifacts/") == []


def test_a_damaged_artifact_is_made_again(machine: Machines, object_storage: ObjectStore) -> None:
    object_storage.upload(f"artifacts/{name_of('chunks', 'f' * 64)}", b"not what put wrote")
    one = machine("one")
    assert one.get("chunks", "f" * 64) is None
    one.put("chunks", "f" * 64, b"[1]")
    assert machine("two").get("chunks", "f" * 64) == b"[1]"


def test_a_raw_file_that_is_not_what_its_name_says_counts_as_absent(
    machine: Machines, object_storage: ObjectStore
) -> None:
    digest = hashlib.sha256(b"policy").hexdigest()
    object_storage.upload(f"artifacts/{name_of('raw_file', digest)}", b"somebody else's policy")
    one = machine("one")
    assert not one.at_hand("raw_file", digest).exists()
    assert one.keep_bytes(b"policy") == digest
    assert machine("two").at_hand("raw_file", digest).read_bytes() == b"policy"


def test_while_storage_is_away_nothing_counts_as_kept(
    machine: Machines, object_storage: ObjectStore, tmp_path: Path
) -> None:
    one = machine("one")
    upload = tmp_path / "policy.pdf"
    upload.write_bytes(b"%PDF-1.7 policy")
    digest = hashlib.sha256(upload.read_bytes()).hexdigest()
    object_storage.stop()
    try:
        for step in (lambda: one.keep_file(upload), lambda: one.put("chunks", "a" * 64, b"[]")):
            with pytest.raises(StorageAway):
                step()
    finally:
        object_storage.start()
    assert not one.has("raw_file", digest)
    assert not one.has("chunks", "a" * 64)
    assert not [file for file in (tmp_path / "one").rglob("*") if file.is_file()]


def test_copies_nobody_uses_are_dropped_and_brought_back_when_needed(machine: Machines) -> None:
    one = machine("one")
    one.put("chunks", "b" * 64, b"[]")
    copy = one.path("chunks", "b" * 64)
    one.sweep()
    assert copy.exists()
    long_ago = time.time() - UNUSED_SECONDS - 60
    os.utime(copy, (long_ago, long_ago))
    assert one.get("chunks", "b" * 64) == b"[]"
    one.sweep()
    assert copy.exists()
    os.utime(copy, (long_ago, long_ago))
    one.sweep()
    assert not copy.exists()
    assert one.get("chunks", "b" * 64) == b"[]"


def test_old_artifacts_are_found_by_stage_and_version(machine: Machines, object_storage: ObjectStore) -> None:
    one = machine("one")
    one.put("chunks", "a" * 64, b"[]")
    one.put("parsed_text", "b" * 64, b"{}")
    object_storage.upload("artifacts/of-somebody-else", b"")
    assert sorted(one.older_than(-60.0)) == [("chunks", "a" * 64), ("parsed_text", "b" * 64)]
    assert one.older_than(3600.0) == []


def test_a_store_of_this_machine_alone_asks_nobody(object_storage: ObjectStore, tmp_path: Path) -> None:
    asked = len(object_storage.asked)
    alone = ArtifactStore(tmp_path / "alone")
    alone.put("chunks", "a" * 64, b"[]")
    assert alone.at_hand("chunks", "a" * 64) == alone.path("chunks", "a" * 64)
    assert len(object_storage.asked) == asked
