"""Uploads in object storage: taken up, changed, gone, and what happens when storage is away."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tvdb_pipeline.documents import registry
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest import object_watching
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.watching import look, remove_gone
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.storage import bucket as storage
from tvdb_pipeline_tests.object_store import BUCKET, ObjectStore
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

UPLOADS, ARTIFACTS = f"s3://{BUCKET}/uploads", f"s3://{BUCKET}/artifacts"
Shops = Callable[..., Workshop]


@pytest.fixture
def there(make_shop: Shops, object_storage: ObjectStore) -> Workshop:
    """A workshop whose uploads and artifacts are in storage."""
    return make_shop(upload_url=UPLOADS, artifact_url=ARTIFACTS, storage_allow_http=True)


def upload(object_storage: ObjectStore, name: str, seed: int = 1) -> None:
    object_storage.upload(f"uploads/{name}", flowing_pdf(paragraphs(2, seed=seed)))


def documents(shop: Workshop) -> dict[str, registry.Document]:
    return {document.path: document for document in registry.load(shop.database)}


def run(shop: Workshop, keys: list[str]) -> list[str]:
    """The codes of what did not pass."""
    return [outcome.error.code for outcome in walk(shop, keys) if outcome.error is not None]


def looked(shop: Workshop) -> list[str]:
    """One look, what it asks for carried out; paths taken up."""
    seen = look(shop)
    remove_gone(shop, seen.gone)
    run(shop, [document.key for document in seen.stale])
    return sorted(document.path for document in seen.stale)


def test_an_object_becomes_searchable_and_is_not_read_again_until_it_changes(
    there: Workshop, object_storage: ObjectStore
) -> None:
    for number, name in enumerate(("a.pdf", "claims/2026/b.pdf", "c.pdf")):
        upload(object_storage, name, number)
    for ignored in (".hidden/d.pdf", "e.pdf.part", "claims/.f.pdf"):
        upload(object_storage, ignored)
    assert looked(there) == ["a.pdf", "c.pdf", "claims/2026/b.pdf"]
    assert {document.state for document in documents(there).values()} == {"ready"}
    read = len([path for method, path in object_storage.asked if method == "GET" and path.endswith(".pdf")])
    assert looked(there) == []
    assert len([path for method, path in object_storage.asked if method == "GET" and path.endswith(".pdf")]) == read
    upload(object_storage, "c.pdf", 9)
    assert looked(there) == ["c.pdf"]
    assert documents(there)["c.pdf"].state == "ready"


def test_the_same_bytes_written_anew_are_not_bought_anew(there: Workshop, object_storage: ObjectStore) -> None:
    upload(object_storage, "a.pdf")
    looked(there)
    before = documents(there)["a.pdf"].versions
    object_storage.upload("uploads/b.pdf", flowing_pdf(paragraphs(2, seed=1)))
    looked(there)
    assert documents(there)["b.pdf"].versions == before


def test_a_document_keeps_its_key_when_its_folder_moves_into_storage(
    shop: Workshop, there: Workshop, object_storage: ObjectStore
) -> None:
    upload(object_storage, "a.pdf")
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(paragraphs(2)))
    plan = make_plan(shop, [shop.settings.upload_dir])
    run(shop, plan.stale)
    looked(there)
    assert [document.key for document in documents(there).values()] == plan.keys
    (shop.settings.upload_dir / "a.pdf").unlink()
    assert make_plan(shop, [shop.settings.upload_dir], accept_removals=True).gone == []


def test_removed_objects_go_and_a_renamed_one_finds_its_vectors(there: Workshop, object_storage: ObjectStore) -> None:
    for number in range(4):
        upload(object_storage, f"{number}.pdf", number)
    looked(there)
    sent = there.database.fetch("SELECT count(*) FROM tvdb.embedding_cache")[0][0]
    object_storage.client.copy_object(Bucket=BUCKET, Key="uploads/renamed.pdf", CopySource=f"{BUCKET}/uploads/0.pdf")
    for name in ("0.pdf", "3.pdf"):
        object_storage.client.delete_object(Bucket=BUCKET, Key=f"uploads/{name}")
    assert looked(there) == ["renamed.pdf"]
    assert sorted(documents(there)) == ["0.pdf", "1.pdf", "2.pdf", "3.pdf", "renamed.pdf"]
    looked(there)
    assert sorted(documents(there)) == ["1.pdf", "2.pdf", "renamed.pdf"]
    assert there.database.fetch("SELECT count(*) FROM tvdb.embedding_cache")[0][0] == sent


def test_most_of_a_bucket_gone_at_once_is_left_alone(there: Workshop, object_storage: ObjectStore) -> None:
    for number in range(15):
        upload(object_storage, f"{number:02}.pdf", number)
    looked(there)
    for number in range(12):
        object_storage.client.delete_object(Bucket=BUCKET, Key=f"uploads/{number:02}.pdf")
    seen = look(there)
    assert (seen.gone, len(seen.withheld)) == ([], 12)


def test_a_large_bucket_is_listed_bit_by_bit(
    there: Workshop, object_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_watching, "LIST_SECONDS", 0.0)
    monkeypatch.setattr(storage, "PAGE", 3)
    for number in range(8):
        upload(object_storage, f"{number}.pdf", number)
    taken = [len(look(there).stale) for _ in range(3)]
    assert sum(taken) >= 8
    assert sorted(documents(there)) == [f"{number}.pdf" for number in range(8)]
    run(there, [document.key for document in documents(there).values()])
    object_storage.client.delete_object(Bucket=BUCKET, Key="uploads/4.pdf")
    seen = [look(there) for _ in range(8)]
    assert not any(each.stale for each in seen)
    gone = {key for each in seen for key in each.gone}
    assert gone == {documents(there)["4.pdf"].key}


def test_what_a_killed_look_took_up_is_found_by_the_next(there: Workshop, object_storage: ObjectStore) -> None:
    upload(object_storage, "a.pdf")
    assert len(look(there).stale) == 1
    assert [document.path for document in look(there).stale] == ["a.pdf"]


def test_an_object_that_changes_while_it_is_read_waits_and_is_read_whole(
    there: Workshop, object_storage: ObjectStore
) -> None:
    upload(object_storage, "a.pdf", 1)
    [document] = look(there).stale

    def change(method: str, path: str) -> None:
        if method == "GET" and path.endswith("a.pdf"):
            object_storage.before = lambda method, path: None
            upload(object_storage, "a.pdf", 2)

    object_storage.before = change
    assert run(there, [document.key]) == ["still_growing"]
    assert documents(there)["a.pdf"].state == "failed"
    assert run(there, [document.key]) == []
    assert documents(there)["a.pdf"].state == "ready"
    assert documents(there)["a.pdf"].bytes == len(flowing_pdf(paragraphs(2, seed=2)))


def test_an_object_gone_before_it_was_read_is_named(there: Workshop, object_storage: ObjectStore) -> None:
    upload(object_storage, "a.pdf")
    [document] = look(there).stale
    object_storage.client.delete_object(Bucket=BUCKET, Key="uploads/a.pdf")
    assert run(there, [document.key]) == ["file_gone"]


@pytest.mark.parametrize("fault", ["storage_credentials", "storage_unreachable"])
def test_while_storage_is_away_documents_wait_without_end_and_heal(
    there: Workshop, object_storage: ObjectStore, fault: str
) -> None:
    for number in range(3):
        upload(object_storage, f"{number}.pdf", number)
    keys = [document.key for document in look(there).stale]
    run(there, keys[:1])
    object_storage.expired = fault == "storage_credentials"
    if not object_storage.expired:
        object_storage.stop()
    try:
        with pytest.raises(TvdbError) as refused:
            look(there)
        assert refused.value.code == fault
        for _ in range(6):
            assert run(there, keys[1:]) == [fault, fault]
        waiting = registry.load(there.database, keys[1:])
        assert [document.state for document in waiting] == ["deferred", "deferred"]
        assert all(document.error is not None and document.error["code"] == fault for document in waiting)
        assert all(document.next_attempt_at is not None for document in waiting)
    finally:
        object_storage.expired = False
        if fault == "storage_unreachable":
            object_storage.start()
    assert run(there, keys) == []
    assert {document.state for document in documents(there).values()} == {"ready"}


def test_a_bad_name_is_said_and_does_not_hold_up_other_folders(there: Workshop, object_storage: ObjectStore) -> None:
    upload(object_storage, "a.pdf", 1)
    looked(there)
    upload(object_storage, "b//c.pdf", 2)
    upload(object_storage, "d/e.pdf", 3)
    seen = look(there)
    assert ([document.path for document in seen.stale], seen.gone, seen.unlisted) == (["d/e.pdf"], [], 1)
    object_storage.client.delete_object(Bucket=BUCKET, Key="uploads/b//c.pdf")
    assert look(there).unlisted == 0


def test_a_deleted_document_is_not_taken_up_again_while_its_object_lies_there(
    there: Workshop, object_storage: ObjectStore
) -> None:
    upload(object_storage, "a.pdf", 1)
    looked(there)
    remove(there, [documents(there)["a.pdf"].key], "command")
    assert looked(there) == []
    assert object_storage.names("artifacts/") == []
    upload(object_storage, "a.pdf", 2)
    assert looked(there) == ["a.pdf"]


def test_a_command_reads_what_lies_under_a_url_and_nothing_elsewhere(
    there: Workshop, object_storage: ObjectStore
) -> None:
    for name in ("a.pdf", "claims/b.pdf", "claims/c.pdf"):
        upload(object_storage, name, len(name))
    assert len(make_plan(there, [f"{UPLOADS}/claims"]).stale) == 2
    assert len(make_plan(there, [f"{UPLOADS}/a.pdf"]).stale) == 1
    plan = make_plan(there, [UPLOADS])
    run(there, plan.stale)
    assert (len(plan.keys), make_plan(there, [UPLOADS]).stale) == (3, [])
    object_storage.client.delete_object(Bucket=BUCKET, Key="uploads/claims/c.pdf")
    assert make_plan(there, [f"{UPLOADS}/a.pdf"]).gone == []
    assert make_plan(there, [f"{UPLOADS}/claims"]).gone == [documents(there)["claims/c.pdf"].key]
    for elsewhere, code in ((f"s3://{BUCKET}/other", "not_uploads"), (f"{UPLOADS}/none", "not_found")):
        with pytest.raises(TvdbError) as refused:
            make_plan(there, [elsewhere])
        assert refused.value.code == code


def test_another_machine_goes_on_where_the_first_one_was_lost(
    make_shop: Shops, there: Workshop, object_storage: ObjectStore
) -> None:
    upload(object_storage, "a.pdf")
    [document] = look(there).stale
    list(walk(there, [document.key], frozenset({"raw_file", "parsed_text", "chunks"})))
    shutil.rmtree(there.settings.home)
    object_storage.client.delete_object(Bucket=BUCKET, Key="uploads/a.pdf")
    other = make_shop(
        upload_url=UPLOADS, artifact_url=ARTIFACTS, storage_allow_http=True, home=there.settings.home.with_name("other")
    )
    outcomes = list(walk(other, [document.key], frozenset({"embeddings", "vector_rows"})))
    assert [outcome.status for outcome in outcomes] == ["passed", "passed"]
