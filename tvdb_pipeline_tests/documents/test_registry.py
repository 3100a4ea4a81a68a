"""The document table."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.claims import Claims
from tvdb_pipeline.documents.identity import document_key, identity, located
from tvdb_pipeline.errors import TvdbError

ERROR = {"code": "x", "kind": "system", "message": "m", "retryable": True}


def add(database: Database, *rows: tuple[str, str, str | None]) -> list[str]:
    with database.connection() as conn:
        return registry.register(conn, rows)


def set_columns(database: Database, key: str, **values: object) -> None:
    with database.connection() as conn:
        assert registry.record(conn, key, only(database, key).fence, values)


def only(database: Database, key: str) -> registry.Document:
    (document,) = registry.load(database, [key])
    return document


def test_new_documents_are_registered_once_in_order(database: Database) -> None:
    assert add(database, ("b", "b.pdf", None), ("a", "a.pdf", None)) == ["b", "a"]
    assert add(database, ("a", "a.pdf", None), ("c", "c.pdf", None)) == ["c"]
    assert {document.key for document in registry.load(database)} == {"a", "b", "c"}
    assert registry.load(database)[-1].key == "c"


def test_a_new_document_starts_with_nothing(database: Database) -> None:
    add(database, ("a", "x/a.pdf", "/uploads"))
    document = only(database, "a")
    assert (document.path, document.source, document.state, document.stage) == (
        "x/a.pdf",
        "/uploads",
        "registered",
        None,
    )
    assert document.page_coverage == {"text": 0, "ocr": 0, "blank": 0, "failed": 0}
    assert document.seconds == {"parse": 0, "chunk": 0, "embed": 0, "store": 0}
    assert (document.versions, document.error, document.attempts) == ({}, None, 0)


def test_registering_again_keeps_state_and_notes_a_folder_but_never_forgets_it(database: Database) -> None:
    add(database, ("a", "a.pdf", None))
    set_columns(database, "a", state="ready", stage="vector_rows")
    add(database, ("a", "a.pdf", "/uploads"))
    add(database, ("a", "a.pdf", None))
    assert (only(database, "a").state, only(database, "a").source) == ("ready", "/uploads")


def test_only_the_keys_asked_for_are_loaded(database: Database) -> None:
    add(database, ("a", "a.pdf", None), ("b", "b.pdf", None))
    assert [document.key for document in registry.load(database, ["b", "unknown"])] == ["b"]
    assert registry.load(database, []) == []


def test_documents_of_a_folder(database: Database) -> None:
    add(database, ("a", "one/a.pdf", "/up/one"), ("b", "/two/b.pdf", "/two"), ("c", "one/c.pdf", "/up/one"))
    add(database, ("d", "one/deep/d.pdf", "/up"), ("e", "oneself.pdf", "/up"))
    with database.connection() as conn:
        registry.mark_deleted(conn, ["c"])
    assert {document.key for document in registry.under(database, "/up/one", "/up")} == {"a", "d"}
    assert {document.key for document in registry.under(database, "/up", "/up")} == {"a", "d", "e"}
    assert {document.key for document in registry.under(database, "/two/", "/up")} == {"b"}


def test_recorded_values_come_back(database: Database) -> None:
    add(database, ("a", "a.pdf", None))
    set_columns(database, "a", state="failed", error=ERROR, versions={"raw_file": "v"}, seconds={"parse": 0.5}, pages=3)
    document = only(database, "a")
    assert (document.state, document.error, document.pages) == ("failed", ERROR, 3)
    assert (document.versions, document.seconds) == ({"raw_file": "v"}, {"parse": 0.5})


def test_a_write_with_an_older_fence_sets_nothing(database: Database) -> None:
    add(database, ("a", "a.pdf", None))
    with Claims(database) as claims:
        fence = claims.take(["a"])["a"]
        with database.connection() as conn:
            assert not registry.record(conn, "a", fence - 1, {"pages": 9})
            assert registry.record(conn, "a", fence, {"pages": 2})
    assert only(database, "a").pages == 2


def test_an_unknown_state_is_refused_by_the_table(database: Database) -> None:
    add(database, ("a", "a.pdf", None))
    with pytest.raises(psycopg.errors.CheckViolation):
        set_columns(database, "a", state="done")


def test_a_deleted_document_is_forgotten_and_late_writers_are_shut_out(database: Database) -> None:
    add(database, ("a", "a.pdf", "/uploads"))
    set_columns(database, "a", state="ready", content_sha256="c", chunks=4, vectors=4, versions={"raw_file": "v"})
    fence = only(database, "a").fence
    with database.connection() as conn:
        registry.mark_deleted(conn, ["a"])
        assert not registry.record(conn, "a", fence, {"state": "ready"})
    assert registry.load(database) == []
    document = only(database, "a")
    assert (document.state, document.content_sha256, document.chunks, document.vectors) == ("deleted", None, 0, 0)
    assert (document.versions, document.source) == ({}, None)


def test_a_deleted_document_can_be_registered_anew(database: Database) -> None:
    add(database, ("a", "a.pdf", None))
    set_columns(database, "a", state="failed", error=ERROR, attempts=5)
    with database.connection() as conn:
        registry.mark_deleted(conn, ["a"])
    assert add(database, ("a", "a.pdf", "/uploads")) == ["a"]
    document = only(database, "a")
    assert (document.state, document.error, document.attempts, document.source) == ("registered", None, 0, "/uploads")


def test_resumable_documents_are_unfinished_unclaimed_due_and_have_attempts_left(database: Database) -> None:
    states = ("registered", "processing", "deferred", "failed", "ready", "partial", "rejected")
    add(
        database,
        *((state, state, None) for state in states),
        ("tired", "t", None),
        ("later", "l", None),
        ("held", "h", None),
    )
    for state in states:
        set_columns(database, state, state=state)
    set_columns(database, "tired", state="failed", attempts=3)
    set_columns(database, "deferred", attempts=99)
    set_columns(database, "later", state="deferred", next_attempt_at="2999-01-01")
    with Claims(database) as claims:
        claims.take(["held"])
        found = {document.key for document in registry.resumable(database, max_attempts=3)}
    assert found == {"registered", "processing", "deferred", "failed"}


def test_a_document_whose_claim_lapsed_is_resumable(database: Database) -> None:
    add(database, ("a", "a.pdf", None))
    Claims(database, lease_seconds=-1).take(["a"])
    assert [document.key for document in registry.resumable(database, 3)] == ["a"]


def test_a_key_of_another_style_for_a_known_path_is_no_raw_database_error(database: Database) -> None:
    add(database, ("a-slug-1", "a.pdf", None))
    with suppress(TvdbError):
        add(database, ("doc-1", "a.pdf", None), ("doc-2", "b.pdf", None))
    assert [document.path for document in registry.load(database)].count("a.pdf") == 1


def test_a_file_whose_name_is_not_utf8_can_be_registered_and_found_again(database: Database, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"claim-\xff.pdf")
    file.write_bytes(b"x")
    path = identity(file, tmp_path)
    key = document_key(path, "slug")
    add(database, (key, path, None))
    assert located(only(database, key).path, tmp_path).read_bytes() == b"x"
