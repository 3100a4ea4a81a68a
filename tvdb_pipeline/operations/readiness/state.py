"""The database: is it there, is it ours, is there room.

Belongs here: questions to PostgreSQL itself. Does not: what our role may do (`rights`), or what our tables say about backups or
limits. Nothing is migrated or made.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import LiteralString

import psycopg

from tvdb_pipeline.database.migrations import migrations
from tvdb_pipeline.database.pools import Connection, server_time
from tvdb_pipeline.operations.readiness import rights
from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.settings import Settings

LEAST_SERVER, LEAST_VECTOR = 140_000, (0, 8)
"""PostgreSQL 14; pgvector 0.8, which searches on when a filter leaves too few rows."""
LEAST_FREE_CONNECTIONS = 20
"""What the servers of one deployment and a run open at once, with something over."""
MOST_CLOCK_SECONDS = 2.0
_AREA = "database"


def rows(settings: Settings, url: str) -> Iterator[Finding]:
    """All questions; only the first where it is not reached."""
    try:
        conn = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.Error:
        yield Finding(_AREA, "reachable", False, "PostgreSQL cannot be reached or refuses us; check TVDB_DATABASE_URL")
        return
    with conn:
        version = _one(conn, "SELECT current_setting('server_version')")
        number = conn.info.server_version
        yield Finding(_AREA, "reachable", number >= LEAST_SERVER, f"PostgreSQL {version}, 14 or later wanted")
        yield _vectors(conn)
        yield _schema(conn, settings)
        yield from rights.rows(settings, conn, url)
        yield _connections(conn)
        yield _clock(conn)


def _vectors(conn: Connection) -> Finding:
    found = conn.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    if found is None:
        return Finding(_AREA, "pgvector", False, "not installed here: CREATE EXTENSION vector, as the administrator")
    enough = tuple(int(part) for part in str(found[0]).split(".")[:2]) >= LEAST_VECTOR
    return Finding(_AREA, "pgvector", enough, f"pgvector {found[0]}, 0.8 or later wanted")


def at_head(conn: Connection) -> bool:
    """Whether exactly the migrations this program knows were applied."""
    return _applied(conn) == {migration.number for migration in migrations()}


def _schema(conn: Connection, settings: Settings) -> Finding:
    known, applied = {migration.number for migration in migrations()}, _applied(conn)
    if not applied:
        if settings.env == "development":
            return not_needed(_AREA, "schema", "not used yet: the first command makes it")
        return Finding(_AREA, "schema", False, "there is none: tvdb migrate makes it")
    if newer := applied - known:
        return Finding(_AREA, "schema", False, f"{len(newer)} migrations of a later version of this program: update it")
    missing = known - applied
    evidence = f"{len(applied)} of {len(known)} migrations applied"
    return Finding(_AREA, "schema", not missing, evidence + (": tvdb migrate applies the rest" if missing else ""))


def _applied(conn: Connection) -> set[int]:
    if _one(conn, "SELECT to_regclass('tvdb.schema_migrations')") is None:
        return set()
    return {number for (number,) in conn.execute("SELECT number FROM tvdb.schema_migrations")}


def _connections(conn: Connection) -> Finding:
    free, most = conn.execute(
        """SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int,
               current_setting('max_connections')::int"""
    ).fetchall()[0]
    return Finding(
        _AREA, "connections", free >= LEAST_FREE_CONNECTIONS, f"{free} of {most} free, {LEAST_FREE_CONNECTIONS} wanted"
    )


def _clock(conn: Connection) -> Finding:
    before = time.time()
    theirs = server_time(conn).timestamp()
    after = time.time()
    apart = max(before - theirs, theirs - after, 0.0)
    return Finding(
        _AREA, "clock", apart <= MOST_CLOCK_SECONDS, f"{apart:.3f} s apart from the server's, at most 2 wanted"
    )


def _one(conn: Connection, query: LiteralString) -> object:
    row = conn.execute(query).fetchone()
    return None if row is None else row[0]
