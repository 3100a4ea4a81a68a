"""The migration runner: once, in order, by one process at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from pgvector.psycopg import register_vector

import tvdb_pipeline
from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import Limits, Order
from tvdb_pipeline.database.migrations import migrate, migrations
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.overview import overview
from tvdb_pipeline.operations.story import story
from tvdb_pipeline.vectorstore.indexes import ensure_index, index_name
from tvdb_pipeline.vectorstore.rows import remove
from tvdb_pipeline.vectorstore.search import search
from tvdb_pipeline_tests.conftest import HOUR_AND_DAY

RELEASED = 4
"""The number of the last migration of the first release."""
RELEASES = (RELEASED, 7, 8)
NAMES = [migration.name for migration in migrations()]


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database nobody has migrated."""
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")  # pyright: ignore
    yield server_url.replace("/postgres?", f"/{name}?", 1)
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")  # pyright: ignore


def release(url: str, last: int) -> None:
    """Make the schema as it was when this migration was the last."""
    with psycopg.connect(url, autocommit=True) as conn, conn.transaction():
        conn.execute("CREATE SCHEMA IF NOT EXISTS tvdb")
        conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
        conn.execute(
            "CREATE TABLE IF NOT EXISTS tvdb.schema_migrations (number integer PRIMARY KEY, name text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        for number, name, sql in migrations()[:last]:
            if not conn.execute("SELECT 1 FROM tvdb.schema_migrations WHERE number = %s", (number,)).fetchone():
                conn.execute(sql)  # pyright: ignore
                conn.execute("INSERT INTO tvdb.schema_migrations (number, name) VALUES (%s, %s)", (number, name))


@pytest.fixture
def released_url(empty_url: str) -> str:
    """A database of the first release, without data."""
    release(empty_url, RELEASED)
    return empty_url


def applied(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute("SELECT name FROM tvdb.schema_migrations ORDER BY number")]


def test_numbers_are_unique_and_in_order() -> None:
    numbers = [migration.number for migration in migrations()]
    assert numbers == sorted(set(numbers))


def test_every_sql_file_of_the_package_is_a_migration() -> None:
    package = Path(tvdb_pipeline.__file__).parent
    files = sorted(package.rglob("*.sql"))
    assert len(files) == len(NAMES)
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", file.name) for file in files)


def test_a_new_database_gets_everything_in_order_and_the_second_time_nothing(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as conn:
        assert migrate(conn) == NAMES
        assert migrate(conn) == []
        tables = conn.execute("SELECT count(*) FROM tvdb.documents, tvdb.requests, tvdb.vector_rows").fetchone()
    assert tables == (0,)
    assert applied(empty_url) == NAMES


def test_migrations_that_landed_later_are_applied_to_an_older_database(released_url: str) -> None:
    with psycopg.connect(released_url, autocommit=True) as conn:
        assert migrate(conn) == NAMES[RELEASED:]
    assert applied(released_url) == NAMES


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA tvdb")
        conn.execute("CREATE TABLE tvdb.vector_rows (in_the_way int)")
        with pytest.raises(psycopg.errors.DuplicateTable):
            migrate(conn)
        assert conn.execute(
            "SELECT to_regclass('tvdb.documents'), to_regclass('tvdb.schema_migrations')"
        ).fetchone() == (
            None,
            None,
        )


_MIGRATE_WHEN_TOLD = """
import sys, psycopg
from tvdb_pipeline.database.migrations import migrate
with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(migrate(conn)))
"""


def test_processes_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    command = [sys.executable, "-c", _MIGRATE_WHEN_TOLD, empty_url]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
    answers = [process.communicate()[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(answers) == ["0", "0", "0", str(len(NAMES))]
    assert applied(empty_url) == NAMES


def test_opening_a_database_migrates_it(empty_url: str) -> None:
    Database(empty_url).open().close()
    assert applied(empty_url) == NAMES


def test_a_database_that_cannot_be_reached_is_named_without_its_address(tmp_path: Path) -> None:
    with pytest.raises(TvdbError) as refused:
        Database(f"postgresql://someone:hunter2@/x?host={tmp_path}").open()
    assert (refused.value.code, refused.value.retryable) == ("database_unreachable", True)
    assert "hunter2" not in refused.value.message


def write_released(url: str, requests: list[tuple[str, bool, int, str, str | None]]) -> None:
    """Write requests as the first release did: state, paid, tokens, and how long ago it began and ended."""
    with psycopg.connect(url) as conn:
        for state, paid, tokens, began, ended in requests:
            conn.execute(
                """WITH one AS (
                       INSERT INTO tvdb.requests (model, state, paid, purpose, inputs, tokens, cost_nano, day, started_at,
                                                  ended_at)
                       SELECT 'text-embedding-3-small', %(state)s, %(paid)s, 'documents', 2, %(tokens)s, %(cost)s,
                              (now() - %(began)s::interval) AT TIME ZONE 'UTC', now() - %(began)s::interval,
                              now() - %(ended)s::interval RETURNING id)
                   INSERT INTO tvdb.request_shares SELECT id, 'a', 2, %(tokens)s FROM one""",
                {"state": state, "paid": paid, "tokens": tokens, "cost": tokens * 20 if paid else 0, "began": began,
                 "ended": ended},
            )  # fmt: skip


def look(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchall()  # pyright: ignore


REQUESTS_OF_THE_RELEASE: list[tuple[str, bool, int, str, str | None]] = [
    ("settled", True, 1, "26 hours", "26 hours"),
    ("charged_unknown", True, 2, "25 hours", "25 hours"),
    ("released", True, 0, "25 hours", "25 hours"),
    ("held", True, 4, "25 hours", None),
    ("settled", False, 8, "25 hours", "25 hours"),
    ("held", False, 16, "25 hours", None),
    ("settled", True, 32, "61 minutes", "60 minutes 1 second"),
    ("settled", True, 64, "40 minutes", "39 minutes"),
    ("charged_unknown", True, 128, "30 minutes", "29 minutes"),
    ("released", True, 0, "20 minutes", "19 minutes"),
    ("held", True, 256, "20 seconds", None),
    ("settled", False, 512, "20 seconds", "10 seconds"),
    ("held", False, 1024, "20 seconds", None),
]
SPENT, UNDER_WAY = 1 + 2 + 32 + 64 + 128, 4 + 256


def test_the_ledger_of_the_release_keeps_its_rows_and_what_they_cost(released_url: str) -> None:
    write_released(released_url, REQUESTS_OF_THE_RELEASE)
    kept = "SELECT id, model, paid, purpose, inputs, tokens, cost_nano, started_at, ended_at FROM tvdb.requests ORDER BY id"
    before, shares = look(released_url, kept), look(released_url, "SELECT * FROM tvdb.request_shares ORDER BY 1")
    days = look(released_url, "SELECT day::timestamp AT TIME ZONE 'UTC' FROM tvdb.requests ORDER BY id")
    Database(released_url).open().close()
    assert applied(released_url) == NAMES
    assert look(released_url, kept) == before
    assert look(released_url, "SELECT * FROM tvdb.request_shares ORDER BY 1") == shares
    assert look(released_url, "SELECT day_starts FROM tvdb.requests ORDER BY id") == days
    states = [row[0] for row in look(released_url, "SELECT state FROM tvdb.requests ORDER BY id")]
    assert states == [{"held": "sent"}.get(state, state) for state, *_ in REQUESTS_OF_THE_RELEASE]
    assert look(released_url, "SELECT DISTINCT attempt, kind FROM tvdb.requests") == [(1, "first")]
    keys = look(released_url, "SELECT count(DISTINCT request_key) FROM tvdb.requests")
    assert keys == [(len(REQUESTS_OF_THE_RELEASE),)]


def test_what_was_under_way_in_the_release_gets_a_lease_and_what_ended_within_the_hour_keeps_its_slot(
    released_url: str,
) -> None:
    write_released(released_url, REQUESTS_OF_THE_RELEASE)
    Database(released_url).open().close()
    times = look(
        released_url, "SELECT tokens, lease_until - started_at, slot_until - ended_at FROM tvdb.requests ORDER BY id"
    )
    assert [tokens for tokens, lease, _ in times if lease is not None] == [4, 16, 256, 1024]
    assert {lease.total_seconds() for _, lease, _ in times if lease is not None} == {900}
    assert [tokens for tokens, _, slot in times if slot is not None] == [64, 128, 0]
    assert {slot.total_seconds() for _, _, slot in times if slot is not None} == {3600}


def test_the_windows_sum_up_what_the_release_left(released_url: str) -> None:
    write_released(released_url, REQUESTS_OF_THE_RELEASE)
    Database(released_url).open().close()
    windows = look(
        released_url, "SELECT starts, spent_nano, held_nano, overrun_nano FROM tvdb.dollar_windows ORDER BY 1"
    )
    assert windows == look(
        released_url,
        """SELECT day_starts, coalesce(sum(cost_nano) FILTER (WHERE state <> 'sent'), 0)::bigint,
               coalesce(sum(cost_nano) FILTER (WHERE state = 'sent'), 0)::bigint, 0::bigint
           FROM tvdb.requests WHERE paid GROUP BY 1 ORDER BY 1""",
    )
    assert len(windows) in (2, 3)
    assert (sum(row[1] for row in windows), sum(row[2] for row in windows)) == (SPENT * 20, UNDER_WAY * 20)
    assert look(released_url, "SELECT used, retries FROM tvdb.request_window") == [(5, 0)]


def test_the_ledger_goes_on_where_the_release_stood(released_url: str) -> None:
    write_released(released_url, REQUESTS_OF_THE_RELEASE)
    with closing(Database(released_url).open()) as database:
        book = Ledger(database, Limits(10**9, 5, 10**9), HOUR_AND_DAY)
        # Yesterday's, long lapsed, is charged in full; its slot is free, the four of this hour are taken.
        book.reserve("text-embedding-3-small", Order(1, 1, "documents"))
        assert book.state().requests == 5
        under_way = database.fetch("SELECT tokens FROM tvdb.requests WHERE state IN ('held', 'sent') ORDER BY id")
        assert under_way == [(256,), (1024,), (1,)]
        spent = "SELECT sum(spent_nano), sum(held_nano) FROM tvdb.dollar_windows"
        assert database.fetch(spent) == [((SPENT + 4) * 20, (256 + 1) * 20)]
        number = database.fetch("SELECT id FROM tvdb.requests WHERE tokens = 256")[0][0]
        with database.connection() as conn:
            book.settle(conn, number, "text-embedding-3-small", 200)
        assert database.fetch(spent) == [((SPENT + 4 + 200) * 20, 20)]


def test_an_empty_ledger_of_the_release_becomes_an_empty_ledger(released_url: str) -> None:
    Database(released_url).open().close()
    assert look(released_url, "SELECT used, retries, capacity FROM tvdb.request_window") == [(0, 0, 0)]
    assert look(released_url, "SELECT * FROM tvdb.dollar_windows") == []


FORMER_INDEXES = [
    ("hnsw", "embedding vector_cosine_ops", "text-embedding-3-small"),
    ("halfvec", "(embedding::halfvec(1536)) halfvec_cosine_ops", "it's"),
    ("hnsw", "embedding vector_cosine_ops", "mock-hashed-1536"),
]
"""Kind (as it stood in the name), what was indexed, model."""


def test_vector_indexes_are_made_again_as_this_version_makes_them(released_url: str) -> None:
    release(released_url, 8)
    with psycopg.connect(released_url, autocommit=True) as conn:
        for number, (kind, column, model) in enumerate(FORMER_INDEXES):
            name = re.sub("_(signs|halfvec)_", f"_{kind}_", index_name(model), count=1)
            conn.execute(
                """INSERT INTO tvdb.vector_rows (document_key, chunk_index, text, page_start, page_end, tokens, embedding,
                       embedding_model, text_sha256)
                   SELECT 'a', %s, '', 1, 1, 1, array_agg(n %% 2 - 0.5)::vector(1536), %s, '' FROM generate_series(1, 1536) n""",
                (number, model),
            )
            conn.execute(
                f"CREATE INDEX {name} ON tvdb.vector_rows USING hnsw ({column})"  # pyright: ignore
                f" WHERE embedding_model = '{model.replace(chr(39), chr(39) * 2)}'"
            )
    database = Database(released_url).open()
    made = "SELECT indexname FROM pg_indexes WHERE schemaname = 'tvdb' AND indexdef LIKE '%hnsw (%' ORDER BY 1"
    before = look(released_url, made)
    models = [model for *_, model in FORMER_INDEXES]
    assert before == [(name,) for name in sorted(ensure_index(database, model) for model in models)]
    assert look(released_url, made) == before
    signs = look(released_url, "SELECT DISTINCT signs FROM tvdb.vector_rows")
    assert signs == [("10" * 768,)]
    database.close()


@pytest.mark.parametrize("last", RELEASES)
def test_documents_of_every_release_are_found_told_of_and_removed_after_the_upgrade(empty_url: str, last: int) -> None:
    release(empty_url, last)
    vector = np.zeros(1536, dtype=np.float32)
    vector[::2] = 1 / np.sqrt(768)
    with psycopg.connect(empty_url, autocommit=True) as conn:
        register_vector(conn)
        conn.execute(
            """INSERT INTO tvdb.documents (key, path, state, stage, chunks, vectors, embedding_model)
               VALUES ('a', 'a.pdf', 'ready', 'vector_rows', 1, 1, 'text-embedding-3-small'),
                      ('b', 'b.pdf', 'processing', 'chunks', 0, 0, NULL)"""
        )
        conn.execute(
            "INSERT INTO tvdb.embedding_cache (text_sha256, model, dimensions, embedding) VALUES ('x', %s, 1536, %s)",
            ("text-embedding-3-small", vector),
        )
        conn.execute("INSERT INTO tvdb.document_texts VALUES ('a', 'x')")
        conn.execute(
            """INSERT INTO tvdb.vector_rows (document_key, chunk_index, text, page_start, page_end, tokens, embedding,
                   embedding_model, text_sha256, search_text)
               VALUES ('a', 0, 'Hail is covered.', 3, 3, 4, %s, 'text-embedding-3-small', 'x',
                       to_tsvector('Hail is covered.'))""",
            (vector,),
        )
    database = Database(empty_url).open()
    for mode in ("vector", "lexical", "fused"):
        (passage,) = search(database, "hail", {"text-embedding-3-small": vector}, 5, mode=mode)
        assert (passage.key, passage.page, passage.embedding_model) == ("a", 3, "text-embedding-3-small")
    assert [document["state"] for document in overview(database)] == ["ready", "processing"]
    assert [event["what"] for event in story(database, "a")] == ["registered", "state"]
    assert [document.key for document in registry.resumable(database, 5)] == ["b"]
    with database.connection() as conn:
        assert remove(conn, ["a"]) == 1
    database.close()
