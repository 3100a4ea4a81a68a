"""Brings a database to the schema this code expects.

Belongs here: the runner. The SQL itself stands in `<room>/sql/NNNN_name.sql` beside the code that uses it; numbers are
unique over all rooms and applied in order, each in one transaction, once. A landed file is never edited, only followed.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

import psycopg
from psycopg.rows import TupleRow

from tvdb_pipeline.database import roles
from tvdb_pipeline.errors import TvdbError

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
    """Apply what is missing; the names applied. `conn` must be in autocommit.

    As the role that owns the schema, which this connection's must be or be a member of, so that what is new belongs to the same
    one. Raises TvdbError(`not_migrated`) where it is not, or may not make a schema; nothing is tried then.
    """
    pending = migrations()
    if _applied(conn) >= {migration.number for migration in pending}:
        return []
    done: list[str] = []
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        _begin(conn)
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


def _begin(conn: psycopg.Connection[TupleRow]) -> None:
    """Act as the owner of the schema for this transaction, and make what every migration stands on."""
    owner = conn.execute(
        "SELECT quote_ident(pg_get_userbyid(nspowner)), pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'tvdb'"
    ).fetchone()
    may_make = conn.execute("SELECT has_database_privilege(current_database(), 'CREATE')").fetchone() == (True,)
    if not (owner[1] if owner else may_make):
        raise TvdbError(
            "not_migrated",
            "This database lacks migrations, and the role of TVDB_DATABASE_URL may not make them: run tvdb migrate as a member "
            "of tvdb_migration.",
        )
    # Where it is there already, this asks for no right; making it takes an administrator, whom the owner need not be.
    conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    if owner:
        conn.execute(f"SET LOCAL ROLE {owner[0]}")  # pyright: ignore[reportArgumentType,reportCallIssue]
    for name in roles.absent_schemas(conn):
        conn.execute(f"CREATE SCHEMA {name}")  # pyright: ignore[reportArgumentType,reportCallIssue]
    if _absent(conn):
        conn.execute(
            "CREATE TABLE tvdb.schema_migrations"
            " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )


def _applied(conn: psycopg.Connection[TupleRow]) -> set[int]:
    if _absent(conn):
        return set()
    return {row[0] for row in conn.execute("SELECT number FROM tvdb.schema_migrations")}


def _absent(conn: psycopg.Connection[TupleRow]) -> bool:
    return conn.execute("SELECT to_regclass('tvdb.schema_migrations')").fetchone() == (None,)
