"""What happened to each document is written down, whoever did it."""

from __future__ import annotations

from typing import Any

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.claims import Claims

ERROR = {"code": "corrupt", "kind": "document", "message": "m", "retryable": False}


def add(database: Database, *keys: str) -> None:
    with database.connection() as conn:
        registry.register(conn, [(key, f"{key}.pdf", None) for key in keys])


def record(database: Database, key: str, **values: object) -> None:
    (document,) = registry.load(database, [key])
    with database.connection() as conn:
        assert registry.record(conn, key, document.fence, values)


def entries(database: Database, key: str, columns: str = "event, state") -> list[Any]:
    return database.fetch(f"SELECT {columns} FROM tvdb.journal WHERE document_key = %s ORDER BY id", (key,))  # pyright: ignore


def test_a_document_that_went_through_has_its_registration_its_claim_and_its_end(database: Database) -> None:
    add(database, "a", "b")
    with Claims(database, run_id="run-1") as claims:
        claims.take(["a"])
        record(database, "a", state="processing", attempts=1)
        record(database, "a", state="ready", stage="vector_rows", seconds={"parse": 0.5})
    assert entries(database, "a", "event, state, stage, run_id, seconds") == [
        ("registered", "registered", None, None, None),
        ("claimed", "registered", None, "run-1", None),
        ("state", "ready", "vector_rows", "run-1", {"parse": 0.5}),
    ]
    assert entries(database, "b") == [("registered", "registered")]


def test_a_refusal_stands_there_by_its_code_and_with_its_next_attempt(database: Database) -> None:
    add(database, "a")
    with Claims(database) as claims:
        claims.take(["a"])
        record(database, "a", state="deferred", error=ERROR, next_attempt_at="2026-01-02T03:04:05Z")
    assert entries(database, "a", "state, code, next_attempt_at::date::text")[-1] == (
        "deferred",
        "corrupt",
        "2026-01-02",
    )


def test_what_changes_neither_state_nor_claim_is_not_written_down(database: Database) -> None:
    add(database, "a")
    with Claims(database) as claims:
        claims.take(["a"])
        before = entries(database, "a")
        record(database, "a", pages=3)
        record(database, "a", state="processing")
    assert entries(database, "a") == before


def test_a_document_taken_over_from_a_killed_process_is_claimed_twice(database: Database) -> None:
    add(database, "a")
    Claims(database, lease_seconds=-1, run_id="killed").take(["a"])
    record(database, "a", state="processing")
    Claims(database, run_id="next").take(["a"])
    assert entries(database, "a", "event, run_id")[1:] == [("claimed", "killed"), ("claimed", "next")]


def test_the_story_goes_on_after_a_deletion_without_what_the_document_was(database: Database) -> None:
    add(database, "a")
    with database.connection() as conn:
        registry.mark_deleted(conn, ["a"])
    add(database, "a")
    assert entries(database, "a") == [("registered", "registered"), ("state", "deleted"), ("state", "registered")]
    assert entries(database, "a", "seconds")[1] == (None,)
