"""A search confined to documents: nothing else is found, and under a filter that keeps few rows nothing is missed."""

from __future__ import annotations

import numpy as np
import pytest
from psycopg import sql

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.vectorstore import nearest
from tvdb_pipeline.vectorstore.indexes import ensure_index
from tvdb_pipeline.vectorstore.search import Mode, documents_within, search

MODEL, OTHER = "text-embedding-3-small", "text-embedding-3-large"
DOCUMENTS, ROWS = 20, 20


@pytest.fixture
def vectors(database: Database) -> Vectors:
    """DOCUMENTS documents of ROWS rows each, key `doc-NN`, indexed; their vectors, shape (DOCUMENTS, ROWS, 1536).

    Those of each document lie around a direction of its own, so that the nearest rows to one are all in one document.
    """
    draw = np.random.default_rng(3)
    middles, rest = draw.normal(size=(DOCUMENTS, 1, 1536)), draw.normal(size=(DOCUMENTS, ROWS, 1536))
    made = (middles + rest / 2).astype(np.float32)
    made /= np.linalg.norm(made, axis=2, keepdims=True)
    ensure_index(database, MODEL)
    with database.connection() as conn, conn.cursor() as cursor:
        names = [f"doc-{number:02d}" for number in range(DOCUMENTS)]
        cursor.executemany(
            "INSERT INTO tvdb.documents (key, path) VALUES (%s, %s)", [(n, f"folder/{n}.pdf") for n in names]
        )
        cursor.executemany(
            """INSERT INTO tvdb.vector_rows (document_key, chunk_index, text, page_start, page_end, tokens, embedding,
                   embedding_model, text_sha256, search_text)
               VALUES (%s, %s, 'Hail.', 1, 1, 1, %s, %s, 'x', to_tsvector('english', 'Hail.'))""",
            [(n, i, v, MODEL) for n, document in zip(names, made, strict=True) for i, v in enumerate(document)],
        )
    return made


def found(database: Database, query: Vectors, within: list[str], k: int, mode: Mode = "vector") -> list[str]:
    return [passage.key for passage in search(database, "hail", {MODEL: query}, k, mode=mode, within=within)]


@pytest.mark.parametrize("mode", ["vector", "lexical", "fused"])
def test_only_the_documents_named_are_found(database: Database, vectors: Vectors, mode: Mode) -> None:
    keys = found(database, vectors[0, 0], ["doc-03", "doc-04"], 100, mode)
    assert sorted(keys) == ["doc-03"] * ROWS + ["doc-04"] * ROWS


@pytest.mark.parametrize("mode", ["vector", "lexical", "fused"])
def test_no_document_named_is_no_passage_found(database: Database, vectors: Vectors, mode: Mode) -> None:
    assert found(database, vectors[0, 0], [], 5, mode) == []


@pytest.mark.parametrize("few", [nearest.FEW_ROWS, 0], ids=["rows compared", "index walked"])
def test_far_from_the_query_the_nearest_rows_of_the_documents_named_are_found(
    database: Database, vectors: Vectors, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(nearest, "FEW_ROWS", few)
    confine_planner(database)
    reader = Database(database.url).open()
    query = vectors[0, 0]
    passages = search(reader, "", {MODEL: query}, 10, mode="vector", within=["doc-07", "doc-12"])
    reader.close()
    expected = np.sort((vectors[[7, 12]] @ query).ravel())[::-1][:10]
    assert [passage.score for passage in passages] == pytest.approx(expected, abs=1e-5)


def confine_planner(database: Database) -> None:
    """A table this small is read whole otherwise."""
    with database.connection() as conn:
        name = sql.Identifier(conn.info.dbname)
        for setting in ("enable_seqscan", "enable_bitmapscan"):
            conn.execute(sql.SQL("ALTER DATABASE {} SET {} = off").format(name, sql.Identifier(setting)))


def test_a_walk_that_meets_too_few_rows_of_the_documents_named_is_not_the_last_word(
    database: Database, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "FEW_ROWS", 0)
    with database.connection() as conn:
        name = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("ALTER DATABASE {} SET hnsw.max_scan_tuples = 1").format(name))
    confine_planner(database)
    reader = Database(database.url).open()
    assert found(reader, vectors[0, 0], ["doc-07"], ROWS) == ["doc-07"] * ROWS
    reader.close()


def test_rows_of_another_model_are_not_compared_under_a_filter_either(database: Database, vectors: Vectors) -> None:
    database.run("UPDATE tvdb.vector_rows SET embedding_model = %s WHERE document_key = 'doc-03'", (OTHER,))
    assert set(found(database, vectors[3, 0], ["doc-03", "doc-04"], 100)) == {"doc-04"}


def test_a_place_is_a_key_a_file_a_folder_or_a_message_with_its_attachments(database: Database) -> None:
    paths = {
        "a": "claims/2024/a.pdf",
        "b": "claims/b.eml",
        "b1": "claims/b.eml!/1/photo.pdf",
        "c": "claims-old/c.pdf",
        "d": "/srv/100%/d.pdf",
    }
    with database.connection() as conn, conn.cursor() as cursor:
        cursor.executemany("INSERT INTO tvdb.documents (key, path) VALUES (%s, %s)", paths.items())
    cases = {
        "a": ["a"],
        "claims/2024/a.pdf": ["a"],
        "claims": ["a", "b", "b1"],
        "claims/": ["a", "b", "b1"],
        "claims/b.eml": ["b", "b1"],
        "claims-old": ["c"],
        ".": ["a", "b", "b1", "c"],
        "/srv/100%": ["d"],
        "/srv/10_%": [],
        "claim": [],
        "": [],
    }
    assert {place: sorted(documents_within(database, place)) for place in cases} == cases
