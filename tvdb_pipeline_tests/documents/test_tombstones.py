"""What is left of erased documents, and what they become when they come back."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from tvdb_pipeline.database.migrations import migrate, migrations
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import attachments, registry, tombstones
from tvdb_pipeline.documents.tombstones import Erasure, LeftFile, Reason


def add(database: Database, *keys: str) -> None:
    with database.connection() as conn:
        registry.register(conn, [(key, f"{key}.pdf", "/uploads") for key in keys])


def erase(database: Database, *keys: str, reason: Reason = "vanished") -> None:
    with database.connection() as conn:
        tombstones.add(conn, keys, reason, {})
        registry.mark_deleted(conn, keys)


def erasures(database: Database) -> dict[str, Erasure]:
    with database.connection() as conn:
        return {erasure.key: erasure for erasure in tombstones.everything(conn)}


def test_of_an_erased_document_only_the_key_is_left(database: Database) -> None:
    add(database, "a")
    database.run(
        """UPDATE tvdb.documents SET state = 'failed', error = '{"code": "x"}', content_sha256 = 'c', media_type = 'text/plain',
               bytes = 4, pages = 2, page_coverage = '{"text": 2}', versions = '{"raw_file": "v"}', run_id = 'r', attempts = 3"""
    )
    erase(database, "a")
    row = database.fetch(
        """SELECT to_jsonb(d) - ARRAY['registered_at', 'updated_at', 'fence'] FROM tvdb.documents d"""
    )[0][0]
    zeros = {"parse": 0, "chunk": 0, "embed": 0, "store": 0}
    assert {name: value for name, value in row.items() if value} == {
        "key": "a", "path": "./a", "state": "deleted", "seconds": zeros,
        "page_coverage": {"text": 0, "ocr": 0, "blank": 0, "failed": 0},
    }  # fmt: skip
    assert registry.load(database, ["a"])[0].path == "a"
    assert registry.keys_of(database, ["a.pdf"]) == {}


def test_one_that_comes_back_is_registered_anew_under_its_key_and_later_than_it_was_erased(database: Database) -> None:
    add(database, "a", "b")
    erase(database, "a")
    assert tombstones.registered_before(database, erasures(database).values()) == {}
    add(database, "a")
    document = registry.load(database, ["a"])[0]
    assert (document.state, document.path, document.source) == ("registered", "a.pdf", "/uploads")
    assert [found.key for found in registry.load(database)] == ["b", "a"]
    assert tombstones.registered_before(database, erasures(database).values()) == {}
    first = erasures(database)["a"].erased_at
    erase(database, "a", reason="command")
    assert erasures(database)["a"].erased_at > first


def test_an_attachment_that_comes_back_belongs_to_its_message_again(database: Database) -> None:
    add(database, "mail")
    files = [("letter", "mail.pdf!/1/letter.pdf", "sha")]
    for _ in range(2):
        with database.connection() as conn:
            assert attachments.adopt(conn, "mail", files).new == ["letter"]
        assert attachments.descendants(database, ["mail"]) == ["letter"]
        erase(database, "letter")
        assert attachments.descendants(database, ["mail"]) == []
    erase(database, "mail")
    with database.connection() as conn:
        assert attachments.adopt(conn, "mail", files).new == [], "it was erased while it was being read"


def test_what_was_erased_after_it_was_registered_is_told_with_the_reason(database: Database) -> None:
    add(database, "a", "b", "c")
    erase(database, "a", reason="command")
    erase(database, "b", "c")
    known = erasures(database)
    database.run("DELETE FROM tvdb.tombstones")
    # As in a backup from before: the documents are there, the tombstones are not.
    database.run("UPDATE tvdb.documents SET state = 'ready' WHERE key <> 'c'")
    assert tombstones.registered_before(database, known.values()) == {"a": "command", "b": "vanished"}
    assert tombstones.registered_before(database, []) == {}
    with database.connection() as conn:
        tombstones.take_in(conn, known.values())
    assert erasures(database) == known
    assert tombstones.events_due(database) == {}


def test_texts_of_a_vanished_document_wait_for_those_under_way_when_it_went(database: Database) -> None:
    add(database, "a", "busy", "done")
    database.run("UPDATE tvdb.documents SET state = 'ready' WHERE key = 'done'")
    erase(database, "a")
    add(database, "later")
    assert tombstones.vectors_due(database, 3600) == []
    database.run("UPDATE tvdb.documents SET state = 'failed' WHERE key = 'busy'")
    assert tombstones.vectors_due(database, 3600) == ["a"]
    database.run("UPDATE tvdb.documents SET state = 'processing' WHERE key = 'busy'")
    database.run("UPDATE tvdb.tombstones SET erased_at = now() - interval '2 hours'")
    assert tombstones.vectors_due(database, 3600) == ["a"]


def test_files_left_lying_are_remembered_until_they_go_or_are_registered(database: Database) -> None:
    add(database, "a", "b")
    mark = LeftFile(4, 5)
    with database.connection() as conn:
        tombstones.add(conn, ["a", "b"], "command", {"a": mark, "b": mark})
        registry.mark_deleted(conn, ["a", "b"])
    assert tombstones.left_files(database) == {"a": mark, "b": mark}
    add(database, "b")
    assert tombstones.left_files(database) == {"a": mark}
    tombstones.forget_files(database, ["a"])
    assert tombstones.left_files(database) == {}


@pytest.fixture
def before_tombstones(server_url: str) -> Iterator[str]:
    """A database of the version before, with a document deleted in it."""
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")  # pyright: ignore
    url = server_url.replace("/postgres?", f"/{name}?", 1)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA tvdb")
        conn.execute("CREATE EXTENSION vector")
        conn.execute(
            "CREATE TABLE tvdb.schema_migrations"
            " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        for number, migration, text in migrations()[:12]:
            conn.execute(text)  # pyright: ignore
            conn.execute("INSERT INTO tvdb.schema_migrations (number, name) VALUES (%s, %s)", (number, migration))
        conn.execute("INSERT INTO tvdb.documents (key, path, state) VALUES ('m', 'm.eml', 'ready')")
        conn.execute(
            """INSERT INTO tvdb.documents (key, path, state, parent_key, error)
               VALUES ('a', 'a.pdf', 'deleted', NULL, '{}'), ('l', 'm.eml!/1/l.pdf', 'deleted', 'm', NULL)"""
        )
        conn.execute(
            """INSERT INTO tvdb.observations (path, source, bytes, mtime_ns, gone_at)
               VALUES ('a.pdf', '/up', 1, 1, now()), ('m.eml', '/up', 1, 1, NULL)"""
        )
    yield url
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")  # pyright: ignore


def test_documents_deleted_before_tombstones_keep_no_more_than_those_after(before_tombstones: str) -> None:
    with psycopg.connect(before_tombstones, autocommit=True) as conn:
        migrate(conn)
        rows = conn.execute("SELECT key, path, parent_key, error FROM tvdb.documents ORDER BY 1").fetchall()
        assert rows == [("a", "./a", None, None), ("l", "./l", None, None), ("m", "m.eml", None, None)]
        assert {erasure.key for erasure in tombstones.everything(conn)} == {"a", "l"}
        assert conn.execute("SELECT path FROM tvdb.observations").fetchall() == [("m.eml",)]
