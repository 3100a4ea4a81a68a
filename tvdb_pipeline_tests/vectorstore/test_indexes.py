"""One partial HNSW index for each model, which its searches use."""

from __future__ import annotations

import threading
import time

import numpy as np
import psycopg
import pytest
from psycopg import sql

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.vectorstore.indexes import ensure_index, order_by
from tvdb_pipeline.vectorstore.search import search

MODEL_A, MODEL_B = "text-embedding-3-small", "text-embedding-3-large"


def definitions(database: Database) -> dict[str, str]:
    rows = database.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'tvdb' AND indexdef LIKE '%hnsw%'"
    )
    return {row[0]: row[1] for row in rows}


def fill(database: Database, model: str, count: int) -> None:
    vectors = np.random.default_rng(1).normal(size=(count, 1536)).astype(np.float32)
    with database.connection() as conn:
        conn.execute(
            "INSERT INTO tvdb.documents (key, path) VALUES ('a', 'a.pdf') ON CONFLICT DO NOTHING",
        )
        first = conn.execute("SELECT count(*) FROM tvdb.vector_rows").fetchone()
        assert first is not None
        with conn.cursor() as cursor:
            cursor.executemany(
                """INSERT INTO tvdb.vector_rows
                   (document_key, chunk_index, text, page_start, page_end, tokens, embedding, embedding_model, text_sha256)
                   VALUES ('a', %s, 'text', 1, 1, 1, %s, %s, 'x')""",
                [(first[0] + number, vector, model) for number, vector in enumerate(vectors)],
            )


def test_each_model_has_one_index_of_its_own(database: Database) -> None:
    names = [ensure_index(database, model) for model in (MODEL_A, MODEL_B, MODEL_A)]
    assert names[0] == names[2] != names[1]
    found = definitions(database)
    assert set(found) == set(names)
    assert f"WHERE (embedding_model = '{MODEL_A}'::text)" in found[names[0]]
    assert f"WHERE (embedding_model = '{MODEL_B}'::text)" in found[names[1]]
    assert all("signs bit_hamming_ops" in definition for definition in found.values())


@pytest.mark.parametrize("models", [("org/model-a", "org.model.a"), ("x" * 80, "x" * 79 + "y")])
def test_models_with_like_names_do_not_share_an_index(database: Database, models: tuple[str, str]) -> None:
    assert len({ensure_index(database, model) for model in models}) == 2
    assert len(definitions(database)) == 2


def test_a_model_name_is_quoted(database: Database) -> None:
    ensure_index(database, 'it\'s "odd"; --')
    assert len(definitions(database)) == 1


def test_many_at_once_create_one_index(database: Database) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def create() -> None:
        start.wait()
        try:
            ensure_index(database, MODEL_A)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(definitions(database)) == 1


def scans(database: Database, name: str) -> int:
    return database.fetch("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = %s", (name,))[0][0]


def test_a_search_walks_the_index_of_its_model_and_no_other(database: Database) -> None:
    for model in (MODEL_A, MODEL_B):
        fill(database, model, 100)
    names = {model: ensure_index(database, model) for model in (MODEL_A, MODEL_B)}
    query = {MODEL_A: np.ones(1536, dtype=np.float32)}
    with psycopg.connect(database.url, autocommit=True) as conn:
        # A table this small is read whole and sorted otherwise; what is asked is whether the index fits the query.
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            conn.execute(
                sql.SQL("ALTER DATABASE {} SET {} = off").format(
                    sql.Identifier(conn.info.dbname), sql.Identifier(setting)
                )
            )
    reader = Database(database.url).open()
    assert len(search(reader, "", query, 5, mode="vector")) == 5
    reader.close()
    end = time.monotonic() + 10
    while not scans(database, names[MODEL_A]) and time.monotonic() < end:
        time.sleep(0.05)
    assert scans(database, names[MODEL_A]) > 0
    assert scans(database, names[MODEL_B]) == 0


def test_the_planner_can_use_the_index_of_each_model(database: Database) -> None:
    for model in (MODEL_A, MODEL_B, MOCK_MODEL):
        fill(database, model, 20)
    vector = np.ones(1536, dtype=np.float32)
    for model in (MODEL_A, MODEL_B, MOCK_MODEL):
        name = ensure_index(database, model)
        with database.connection() as conn:
            conn.execute("SET LOCAL enable_seqscan = off")
            conn.execute("SET LOCAL enable_bitmapscan = off")
            conn.execute("SET LOCAL enable_sort = off")
            query = sql.SQL(
                "EXPLAIN SELECT document_key FROM tvdb.vector_rows WHERE embedding_model = {} ORDER BY {} LIMIT 5"
            ).format(sql.Literal(model), order_by(model))
            plan = [row[0].split("(")[0].strip(" ->") for row in conn.execute(query, {"vector": vector})]
        assert plan[1] == f"Index Scan using {name} on vector_rows"


def test_search_through_the_indexes_finds_as_many_rows_as_asked_for(database: Database) -> None:
    for model in (MODEL_A, MODEL_B):
        fill(database, model, 150)
        ensure_index(database, model)
    vector = np.ones(1536, dtype=np.float32)
    found = search(database, "", {MODEL_A: vector}, 120, mode="vector")
    assert len(found) == 120
    assert {passage.embedding_model for passage in found} == {MODEL_A}


def test_vectors_that_are_zero_nearly_everywhere_are_indexed_themselves(database: Database) -> None:
    name = ensure_index(database, MOCK_MODEL)
    assert "halfvec_cosine_ops" in definitions(database)[name]


def test_few_rows_far_from_the_query_are_ranked_by_their_vectors(database: Database) -> None:
    fill(database, MODEL_A, 700)
    vector = np.random.default_rng(2).normal(size=1536).astype(np.float32)
    truth = database.fetch(
        "SELECT page_start, 1 - (embedding <=> %s) FROM tvdb.vector_rows ORDER BY 2 DESC LIMIT 10", (vector,)
    )
    found = search(database, "", {MODEL_A: vector}, 10, mode="vector", within=["a"])
    assert [passage.score for passage in found] == pytest.approx([row[1] for row in truth])
