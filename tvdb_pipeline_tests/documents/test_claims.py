"""Leases on documents: one holder at a time, and late writers shut out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.claims import Claims

KEYS = ["a", "b", "c"]


@pytest.fixture
def documents(database: Database) -> Database:
    with database.connection() as conn:
        registry.register(conn, [(key, f"{key}.pdf", None) for key in KEYS])
    return database


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def claim_until(database: Database, key: str) -> object:
    return database.fetch("SELECT claim_until FROM tvdb.documents WHERE key = %s", (key,))[0][0]


def test_what_one_has_the_other_does_not_get(documents: Database) -> None:
    with Claims(documents) as one, Claims(documents) as two:
        assert set(one.take(["a", "b"])) == {"a", "b"}
        assert set(two.take(KEYS)) == {"c"}


def test_a_claim_is_not_taken_twice_by_its_holder(documents: Database) -> None:
    with Claims(documents) as claims:
        assert set(claims.take(["a"])) == {"a"}
        assert claims.take(["a"]) == {}


def test_many_claimers_at_once_share_the_documents_without_overlap(documents: Database) -> None:
    with documents.connection() as conn:
        registry.register(conn, [(f"k{number}", f"{number}.pdf", None) for number in range(40)])
    keys = [f"k{number}" for number in range(40)]
    got: list[str] = []
    start = threading.Barrier(6)

    def claim() -> None:
        claims = Claims(documents)
        start.wait()
        for first in range(0, 40, 8):
            got.extend(claims.take(keys[first : first + 8]))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(keys)


def test_what_is_given_back_can_be_taken_with_a_higher_number(documents: Database) -> None:
    with Claims(documents) as one, Claims(documents) as two:
        first = one.take(["a"])["a"]
        with documents.connection() as conn:
            one.release(conn, "a")
        assert two.take(["a"])["a"] > first


def test_leaving_gives_everything_back(documents: Database) -> None:
    with Claims(documents) as one:
        one.take(KEYS)
    with Claims(documents) as two:
        assert set(two.take(KEYS)) == set(KEYS)


def test_claims_are_given_back_after_an_exception(documents: Database) -> None:
    with suppress(RuntimeError), Claims(documents) as one:
        one.take(KEYS)
        raise RuntimeError
    assert set(Claims(documents).take(KEYS)) == set(KEYS)


def test_a_lapsed_lease_may_be_taken_and_its_late_write_is_refused(documents: Database) -> None:
    dead = Claims(documents, lease_seconds=-1)
    stale = dead.take(["a"])["a"]
    with Claims(documents) as living:
        fence = living.take(["a"])["a"]
        assert fence > stale
        with documents.connection() as conn:
            assert not registry.record(conn, "a", stale, {"state": "ready", "pages": 7})
            assert registry.record(conn, "a", fence, {"pages": 1})
    assert registry.load(documents, ["a"])[0].pages == 1


def test_giving_back_a_lapsed_claim_does_not_free_the_new_holders(documents: Database) -> None:
    dead = Claims(documents, lease_seconds=-1)
    dead.take(["a"])
    with Claims(documents) as living:
        living.take(["a"])
        with documents.connection() as conn:
            dead.release(conn, "a")
        assert Claims(documents).take(["a"]) == {}


def test_the_heartbeat_extends_the_lease(documents: Database) -> None:
    with Claims(documents, lease_seconds=0.9) as claims:
        claims.take(["a"])
        first = claim_until(documents, "a")
        assert until(lambda: claim_until(documents, "a") != first)
        assert Claims(documents).take(["a"]) == {}


def test_the_heartbeat_leaves_what_was_given_back_alone(documents: Database) -> None:
    with Claims(documents, lease_seconds=0.3) as claims:
        claims.take(["a", "b"])
        with documents.connection() as conn:
            claims.release(conn, "a")
        first = claim_until(documents, "b")
        assert until(lambda: claim_until(documents, "b") != first)
        assert claim_until(documents, "a") is None


def test_one_failed_heartbeat_does_not_end_the_lease(documents: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = documents.run, 1

    def run(*arguments: object) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise ConnectionError
        return real(*arguments)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(documents, "run", run)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with Claims(documents, lease_seconds=0.9) as claims:
        claims.take(["a"])
        first = claim_until(documents, "a")
        assert until(lambda: claim_until(documents, "a") != first, seconds=3)


def test_a_deleted_document_cannot_be_claimed(documents: Database) -> None:
    with documents.connection() as conn:
        registry.mark_deleted(conn, ["a"])
    assert set(Claims(documents).take(KEYS)) == {"b", "c"}


def test_deleting_takes_the_document_from_its_holder(documents: Database) -> None:
    with Claims(documents) as claims:
        fence = claims.take(["a"])["a"]
        with documents.connection() as conn:
            registry.mark_deleted(conn, ["a"])
            assert not registry.record(conn, "a", fence, {"state": "ready"})
