"""Brings a database to the schema this code expects.

Belongs here: the runner. The SQL itself stands in `<room>/sql/NNNN_name.sql` beside the code that uses it; numbers are
unique over all rooms and applied in order, each in one transaction, once. A landed file is never edited, only followed.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

import psycopg
from psycopg.rows import TupleRow

_ROOMS = ("documents", "budget", "embedding", "vectorstore", "operations")
_LOCK = 0x74766462  # "tvdb": one process migrates at a time


class Migration(NamedTuple):
    """One SQL file: its number, name (without suffix) and text."""

    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """All migrations in the order of their numbers."""
    found: list[Migration] = []
    for room in _ROOMS:
        for entry in (files("tvdb_pipeline") / room / "sql").iterdir():
            if entry.name.endswith(".sql"):
                number, _, name = entry.name.removesuffix(".sql").partition("_")
                found.append(Migration(int(number), f"{room}/{name}", entry.read_text()))
    found.sort()
    return found


def migrate(conn: psycopg.Connection[TupleRow]) -> list[str]:
    """Apply what is missing; the names applied. `conn` must be in autocommit."""
    pending = migrations()
    if _applied(conn) >= {migration.number for migration in pending}:
        return []
    done: list[str] = []
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        conn.execute("CREATE SCHEMA IF NOT EXISTS tvdb")
        conn.execute("CREATE SCHEMA IF NOT EXISTS dagster")
        conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
        conn.execute(
            "CREATE TABLE IF NOT EXISTS tvdb.schema_migrations"
            " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = _applied(conn)
        for migration in pending:
            if migration.number not in applied:
                conn.execute(migration.sql)  # pyright: ignore[reportArgumentType,reportCallIssue]
                conn.execute(
                    "INSERT INTO tvdb.schema_migrations (number, name) VALUES (%s, %s)",
                    (migration.number, migration.name),
                )
                done.append(migration.name)
    return done


def _applied(conn: psycopg.Connection[TupleRow]) -> set[int]:
    if conn.execute("SELECT to_regclass('tvdb.schema_migrations')").fetchone() == (None,):
        return set()
    return {row[0] for row in conn.execute("SELECT number FROM tvdb.schema_migrations")}
