"""The migration runner: once, in order, by one process at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import tvdb_pipeline
from tvdb_pipeline.database.migrations import migrate, migrations
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.errors import TvdbError

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


def test_a_migration_that_landed_later_is_applied_to_an_older_database(empty_url: str) -> None:
    last = migrations()[-1]
    with psycopg.connect(empty_url, autocommit=True) as conn:
        migrate(conn)
        conn.execute("DELETE FROM tvdb.schema_migrations WHERE number = %s", (last.number,))
        conn.execute("DROP TABLE tvdb.vector_rows, tvdb.document_texts")
        assert migrate(conn) == [last.name]


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
