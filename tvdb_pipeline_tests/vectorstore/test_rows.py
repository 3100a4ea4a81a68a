"""The swap: a document's rows are replaced all at once or not at all."""

from __future__ import annotations

import threading
from contextlib import suppress

import numpy as np
import psycopg
import pytest

from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.embedding.requests import Bought, text_hash
from tvdb_pipeline.vectorstore import rows

MODEL = "text-embedding-3-small"
OLD, NEW = ["Fire is covered.", "Flood is not.", "See part 3."], ["Fire is covered.", "Hail is covered, too."]


def chunks(*texts: str) -> list[Chunk]:
    return [
        Chunk(index, text, count_tokens(text), text_hash(text), index + 1, index + 2, ("Cover", f"Part {index}"))
        for index, text in enumerate(texts)
    ]


def embed(database: Database, *texts: str, model: str = MODEL, provisional: bool = False) -> dict[str, Bought]:
    hashes = [text_hash(text) for text in texts]
    with database.connection() as conn:
        cache.put(conn, model, hashes, MockClient().embed(texts).vectors)
    return {name: Bought(model, provisional) for name in hashes}


def swap(database: Database, key: str, texts: list[str], bought: dict[str, Bought]) -> rows.RowsReport:
    with database.connection() as conn:
        return rows.swap(conn, key, chunks(*texts), bought)


def stored(database: Database, key: str) -> list[str]:
    found = database.fetch("SELECT text FROM tvdb.vector_rows WHERE document_key = %s ORDER BY chunk_index", (key,))
    return [row[0] for row in found]


def test_rows_hold_text_place_and_vector(database: Database) -> None:
    report = swap(database, "a", OLD, embed(database, *OLD))
    assert report == rows.RowsReport(chunks=3, rows=3, vectors=3, provisional=0)
    assert report.passed
    found = database.fetch(
        "SELECT chunk_index, text, page_start, page_end, section, tokens, embedding_model, provisional, text_sha256, embedding"
        " FROM tvdb.vector_rows WHERE document_key = 'a' ORDER BY 1"
    )
    expected = MockClient().embed(OLD).vectors
    for index, row in enumerate(found):
        text = OLD[index]
        assert row[:6] == (index, text, index + 1, index + 2, ["Cover", f"Part {index}"], count_tokens(text))
        assert row[6:9] == (MODEL, False, text_hash(text))
        assert np.array_equal(row[9].to_numpy(), expected[index])


def test_a_swap_replaces_every_row_of_its_document_and_no_other(database: Database) -> None:
    bought = embed(database, *OLD, *NEW)
    swap(database, "a", OLD, bought)
    swap(database, "b", OLD, bought)
    assert swap(database, "a", NEW, bought).rows == 2
    assert stored(database, "a") == NEW
    assert stored(database, "b") == OLD


def test_a_swap_that_fails_leaves_the_earlier_rows(database: Database) -> None:
    bought = embed(database, *OLD, *NEW)
    swap(database, "a", OLD, bought)
    twice = chunks(*NEW) + chunks(NEW[0])
    with pytest.raises(psycopg.errors.UniqueViolation), database.connection() as conn:
        rows.swap(conn, "a", twice, bought)
    assert stored(database, "a") == OLD


def test_a_swap_that_is_rolled_back_leaves_the_earlier_rows(database: Database) -> None:
    bought = embed(database, *OLD, *NEW)
    swap(database, "a", OLD, bought)
    with suppress(RuntimeError), database.connection() as conn:
        rows.swap(conn, "a", chunks(*NEW), bought)
        raise RuntimeError
    assert stored(database, "a") == OLD


def test_readers_see_the_old_or_the_new_document_and_never_a_mixture(database: Database) -> None:
    versions = [[f"Version {version}, clause {clause}." for clause in range(10)] for version in range(2)]
    bought = embed(database, *versions[0], *versions[1])
    swap(database, "a", versions[0], bought)
    stop = threading.Event()
    seen: list[list[str]] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(stored(database, "a"))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(30):
            swap(database, "a", versions[turn % 2], bought)
    finally:
        stop.set()
        reader.join()
    assert seen
    assert all(texts in versions for texts in seen)


def test_a_text_without_a_vector_is_stored_without_one(database: Database) -> None:
    report = swap(database, "a", OLD, embed(database, *OLD[:2]))
    assert report == rows.RowsReport(3, 3, 2, 0)
    assert not report.passed
    found = database.fetch(
        "SELECT embedding IS NULL, embedding_model, provisional FROM tvdb.vector_rows ORDER BY chunk_index"
    )
    assert found == [(False, MODEL, False), (False, MODEL, False), (True, None, False)]


def test_a_vector_that_is_promised_but_not_in_the_cache_is_none(database: Database) -> None:
    promised = {text_hash(text): Bought(MODEL, provisional=True) for text in OLD}
    assert swap(database, "a", OLD, promised) == rows.RowsReport(3, 3, 0, 0)


def test_a_vector_of_another_model_is_not_taken(database: Database) -> None:
    embed(database, *OLD, model=MOCK_MODEL)
    assert swap(database, "a", OLD, {text_hash(text): Bought(MODEL, False) for text in OLD}).vectors == 0


def test_provisional_vectors_are_marked_one_by_one(database: Database) -> None:
    bought = embed(database, *OLD[:1]) | embed(database, *OLD[1:], model=MOCK_MODEL, provisional=True)
    assert swap(database, "a", OLD, bought) == rows.RowsReport(3, 3, 3, 2)
    found = database.fetch("SELECT embedding_model, provisional FROM tvdb.vector_rows ORDER BY chunk_index")
    assert found == [(MODEL, False), (MOCK_MODEL, True), (MOCK_MODEL, True)]


def test_two_swaps_in_one_transaction_do_not_mix(database: Database) -> None:
    bought = embed(database, *OLD, *NEW)
    with database.connection() as conn:
        rows.swap(conn, "a", chunks(*OLD), bought)
        rows.swap(conn, "b", chunks(*NEW), bought)
    assert (stored(database, "a"), stored(database, "b")) == (OLD, NEW)


def test_a_text_that_stands_twice_in_a_document_has_two_rows(database: Database) -> None:
    texts = [OLD[0], OLD[1], OLD[0]]
    assert swap(database, "a", texts, embed(database, *OLD)).vectors == 3
    assert stored(database, "a") == texts


def test_removing_takes_all_rows_of_the_documents_named(database: Database) -> None:
    for key in ("a", "b", "c"):
        swap(database, key, OLD, embed(database, *OLD))
    with database.connection() as conn:
        assert rows.remove(conn, ["a", "c", "unknown"]) == 6
    assert [stored(database, key) for key in ("a", "b", "c")] == [[], OLD, []]


@pytest.mark.parametrize("text", ['quote " and \\ backslash', "tab\tand\nline", "漢字 😀", "{braces},NULL", "\\N"])
def test_any_text_comes_back_as_it_was(database: Database, text: str) -> None:
    swap(database, "a", [text], embed(database, text))
    assert stored(database, "a") == [text]


def test_well_formed_vectors_pass(database: Database) -> None:
    report = rows.vector_report(database, embed(database, *OLD))
    assert report.passed
    assert (report.texts, report.vectors, report.distinct) == (3, 3, 3)


def test_a_missing_vector_fails(database: Database) -> None:
    bought = embed(database, *OLD) | {text_hash("absent"): Bought(MODEL, False)}
    assert not rows.vector_report(database, bought).passed


@pytest.mark.parametrize("length", [0.9, 1.1])
def test_a_vector_that_is_not_of_unit_length_fails(database: Database, length: float) -> None:
    vectors = MockClient().embed(OLD).vectors
    vectors[1] *= length
    hashes = [text_hash(text) for text in OLD]
    with database.connection() as conn:
        cache.put(conn, MODEL, hashes, vectors)
    assert not rows.vector_report(database, {name: Bought(MODEL, False) for name in hashes}).passed


def test_vectors_that_are_all_alike_fail_unless_they_are_few(database: Database) -> None:
    hashes = [text_hash(str(number)) for number in range(5)]
    with database.connection() as conn:
        cache.put(conn, MODEL, hashes, MockClient().embed(["same"] * 5).vectors)
    bought = {name: Bought(MODEL, False) for name in hashes}
    assert not rows.vector_report(database, bought).passed
    # Two pages of one word over and over have the same vector, and rightly so.
    assert rows.vector_report(database, {name: bought[name] for name in hashes[:2]}).passed
