"""The embedding cache: keyed by text and model, never overwritten."""

from __future__ import annotations

import threading
from contextlib import suppress

import numpy as np
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.embedding.mock import MockClient

MODEL = "text-embedding-3-small"
HASHES = ["a" * 64, "b" * 64]


def vectors(*texts: str) -> Vectors:
    return MockClient().embed(texts).vectors


def put(database: Database, model: str, hashes: list[str], rows: Vectors) -> None:
    with database.connection() as conn:
        cache.put(conn, model, hashes, rows)


def test_a_vector_comes_back_bit_by_bit(database: Database) -> None:
    rows = vectors("fire", "flood")
    put(database, MODEL, HASHES, rows)
    for name, row in zip(HASHES, rows, strict=True):
        got = cache.get(database, MODEL, name)
        assert got is not None
        assert got.dtype == np.float32
        assert np.array_equal(got, row)


def test_a_vector_of_one_model_is_unknown_to_another(database: Database) -> None:
    put(database, MODEL, HASHES, vectors("fire", "flood"))
    assert cache.known(database, MODEL, [*HASHES, "c" * 64]) == set(HASHES)
    assert cache.known(database, "text-embedding-3-large", HASHES) == set()
    assert cache.get(database, "text-embedding-3-large", HASHES[0]) is None


def test_what_is_there_stays(database: Database) -> None:
    first = vectors("fire", "flood")
    put(database, MODEL, HASHES, first)
    put(database, MODEL, [HASHES[1], "c" * 64], vectors("other", "third"))
    got = cache.get(database, MODEL, HASHES[1])
    assert got is not None
    assert np.array_equal(got, first[1])
    assert cache.known(database, MODEL, ["c" * 64]) == {"c" * 64}


def test_a_text_given_twice_is_kept_once(database: Database) -> None:
    put(database, MODEL, [HASHES[0], HASHES[0]], vectors("fire", "fire"))
    assert database.fetch("SELECT count(*) FROM tvdb.embedding_cache") == [(1,)]


def test_two_puts_in_one_transaction_do_not_mix(database: Database) -> None:
    rows = vectors("fire", "flood")
    with database.connection() as conn:
        cache.put(conn, MODEL, HASHES[:1], rows[:1])
        cache.put(conn, "text-embedding-3-large", HASHES[1:], rows[1:])
    assert cache.known(database, MODEL, HASHES) == {HASHES[0]}
    assert cache.known(database, "text-embedding-3-large", HASHES) == {HASHES[1]}


def test_what_is_rolled_back_is_not_kept(database: Database) -> None:
    with suppress(RuntimeError), database.connection() as conn:
        cache.put(conn, MODEL, HASHES, vectors("fire", "flood"))
        raise RuntimeError
    assert cache.known(database, MODEL, HASHES) == set()


def test_hashes_and_vectors_must_be_as_many(database: Database) -> None:
    with pytest.raises(ValueError, match="zip"):
        put(database, MODEL, HASHES, vectors("fire"))


def test_nothing_to_look_up_is_no_error(database: Database) -> None:
    assert cache.known(database, MODEL, []) == set()


def test_the_same_texts_put_from_many_sides_at_once_are_kept_once(database: Database) -> None:
    names = [f"{number:064x}" for number in range(60)]
    rows = vectors(*names)
    errors: list[BaseException] = []

    def write(forward: bool) -> None:
        try:
            put(database, MODEL, names if forward else names[::-1], rows if forward else rows[::-1])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number % 2 == 0,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert cache.known(database, MODEL, names) == set(names)
