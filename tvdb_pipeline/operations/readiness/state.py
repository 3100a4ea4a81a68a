"""The database: is it there, is it ours, is there room, may we do what we must, and no more.

Belongs here: questions to PostgreSQL itself. Does not: what our tables say about backups or limits. Nothing is migrated or made.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tvdb_pipeline.database.migrations import migrations
from tvdb_pipeline.database.pools import Connection, server_time
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
        yield _superuser(conn, settings)
        yield _rights(conn, settings)
        yield _encrypted(conn, url)
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
        return Finding(_AREA, "schema", False, "there is none: tvdb status makes it")
    if newer := applied - known:
        return Finding(_AREA, "schema", False, f"{len(newer)} migrations of a later version of this program: update it")
    missing = known - applied
    evidence = f"{len(applied)} of {len(known)} migrations applied"
    return Finding(_AREA, "schema", not missing, evidence + (": tvdb status applies the rest" if missing else ""))


def _applied(conn: Connection) -> set[int]:
    if _one(conn, "SELECT to_regclass('tvdb.schema_migrations')") is None:
        return set()
    return {number for (number,) in conn.execute("SELECT number FROM tvdb.schema_migrations")}


def _superuser(conn: Connection, settings: Settings) -> Finding:
    row = conn.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert row is not None
    can = [what for what, has in zip(("do everything (superuser)", "make roles", "make databases", "replicate",
                                      "pass row security"), row, strict=True) if has]  # fmt: skip
    evidence = f"our role may {', '.join(can)}" if can else "our role is no administrator"
    if settings.env == "development":
        return not_needed(_AREA, "role", evidence)
    fit = not (row[0] or row[1])
    return Finding(_AREA, "role", fit, evidence if fit else f"{evidence}: give TVDB_DATABASE_URL another")


def _rights(conn: Connection, settings: Settings) -> Finding:
    """Whether it can do what each command does: change rows, and make what a migration makes."""
    schemas = [
        name for (name,) in conn.execute("SELECT nspname FROM pg_namespace WHERE nspname IN ('tvdb', 'dagster')")
    ]
    if len(schemas) < 2 and settings.env == "development":
        return not_needed(_AREA, "rights", "nothing is there yet")
    lacking = [f"schema {name}" for name in ("tvdb", "dagster") if name not in schemas]
    for name in schemas:
        usable = "SELECT has_schema_privilege(%(name)s, 'USAGE') AND has_schema_privilege(%(name)s, 'CREATE')"
        if conn.execute(usable, {"name": name}).fetchone() != (True,):
            lacking.append(f"CREATE in schema {name}")
    closed = _one(
        conn,
        """SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname IN ('tvdb', 'dagster') AND c.relkind IN ('r', 'p') AND NOT (
               has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
               AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))""",
    )
    lacking += [f"all rights on {closed} tables"] if closed else []
    return Finding(
        _AREA, "rights", not lacking, f"our role lacks {', '.join(lacking)}" if lacking else "reads, writes, makes"
    )


def _encrypted(conn: Connection, url: str) -> Finding:
    host = _host(conn, url)
    if host is None:
        return not_needed(_AREA, "encrypted", "on this machine")
    row = conn.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    tls = row is not None and bool(row[0])
    version = row[1] if row is not None else None
    evidence = str(version) if tls else "another machine, in clear: add sslmode=verify-full to TVDB_DATABASE_URL"
    return Finding(_AREA, "encrypted", tls, evidence)


def _host(conn: Connection, url: str) -> str | None:
    """The other machine, None if it is this one: by the address of the server, which a forwarded port does not change."""
    if conn.info.host.startswith("/"):
        return None
    named = str(conninfo_to_dict(url).get("host") or urlsplit(url).hostname or conn.info.host)
    try:
        here = ipaddress.ip_address(conn.info.hostaddr).is_loopback
    except ValueError:
        here = named == "localhost"
    return None if here else named


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
