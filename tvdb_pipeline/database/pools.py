"""Connection pools, opened on a migrated database.

Belongs here: opening and configuring connections. Does not: queries.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import LiteralString
from weakref import WeakKeyDictionary

import psycopg
from pgvector.psycopg.vector import register_vector_info
from psycopg.adapt import AdaptersMap
from psycopg.rows import TupleRow
from psycopg.types import TypeInfo
from psycopg_pool import ConnectionPool, PoolTimeout

from tvdb_pipeline.database import tls
from tvdb_pipeline.database.audit_trail import introduce
from tvdb_pipeline.database.migrations import migrate
from tvdb_pipeline.database.server import start_server
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import Settings

Connection = psycopg.Connection[TupleRow]

_FRESH_SECONDS = 1.0
"""A connection that was used so recently is handed out unchecked: the check is a round trip."""


class Database:
    """A pool of connections. `with database.connection() as conn` gives one in a transaction of its own.

    size: most connections; wait: seconds a caller waits for one, a restart of the server included.
    """

    def __init__(self, url: str, *, size: int = 8, wait: float = 30.0) -> None:
        self.url, self._size, self._wait = url, size, wait
        self._used: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()

    def open(self) -> Database:
        """Connect, and migrate where something is missing.

        Raises TvdbError: `database_unreachable`, `database_unverified`; `not_permitted` for a role that is in none of ours;
        `not_migrated` where something is missing and the role may not make it.
        """
        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as conn:
                introduce(conn)
                migrate(conn)
                adapters = _adapters(conn)
            self._pool: ConnectionPool[Connection] = ConnectionPool(
                self.url,
                kwargs={"context": adapters},
                min_size=1,
                max_size=self._size,
                open=False,
                check=self._check,
                configure=introduce,
                timeout=self._wait,
                name="tvdb",
            )
            self._pool.open(wait=True, timeout=30)
        except psycopg.errors.InsufficientPrivilege:
            raise TvdbError(
                "not_permitted",
                "The role of TVDB_DATABASE_URL may not use this database's schema: name a member of tvdb_application there, or "
                "run tvdb migrate as a member of tvdb_migration.",
            ) from None
        except (psycopg.OperationalError, psycopg.ProgrammingError, PoolTimeout) as error:
            raise tls.refusal(error) or TvdbError(
                "database_unreachable",
                "PostgreSQL cannot be reached; check TVDB_DATABASE_URL, or unset it to use the embedded server.",
                retryable=True,
            ) from None
        return self

    def _check(self, conn: Connection) -> None:
        """Called for each connection handed out. After a restart of the server all idle ones are dead, not this one only."""
        if time.monotonic() - self._used.get(conn, 0.0) < _FRESH_SECONDS:
            return
        try:
            ConnectionPool.check_connection(conn)
        except psycopg.OperationalError:
            self._pool.check()
            raise

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """One connection in one transaction: committed on leaving, rolled back on an exception."""
        try:
            with self._pool.connection() as conn:
                yield conn
                self._used[conn] = time.monotonic()
        except psycopg.OperationalError:
            # Perhaps a restart: none of them can be trusted unchecked.
            self._used.clear()
            raise

    def fetch(self, query: LiteralString, params: object = None) -> list[TupleRow]:
        """All rows of one query in a transaction of its own."""
        with self.connection() as conn:
            return conn.execute(query, params).fetchall()  # pyright: ignore[reportArgumentType]

    def run(self, query: LiteralString, params: object = None) -> int:
        """Run one statement in a transaction of its own; the number of rows it touched."""
        with self.connection() as conn:
            return conn.execute(query, params).rowcount  # pyright: ignore[reportArgumentType]


def server_time(conn: Connection) -> datetime:
    """The time by the server's clock, which all processes share."""
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def database_url(settings: Settings, *, leave_running: bool = False) -> str:
    """TVDB_DATABASE_URL, with TLS verified to another machine, else the URL of the embedded server, started if needed.

    Raises TvdbError(`bad_setting`) for a URL that asks for less. A TVDB_DATABASE_URL that points to our own socket was exported
    by `tvdb env`: the server may have been stopped since.
    """
    url = settings.database_url.get_secret_value() if settings.database_url is not None else ""
    if url and f"host={settings.home / 'postgres'}" not in url:
        return tls.verified(url, settings.database_tls)
    return start_server(settings.home, leave_running=leave_running)


def open_database(settings: Settings, *, leave_running: bool = False) -> Database:
    """The database of these settings, opened and migrated."""
    return Database(database_url(settings, leave_running=leave_running)).open()


_known_adapters: dict[tuple[int, int], AdaptersMap] = {}
_adapters_lock = Lock()


def _adapters(conn: Connection) -> AdaptersMap:
    """How this server's vectors are written and read.

    Once for each type, not for each connection: psycopg keeps every class registered with it for ever, and a daemon opens
    thousands of connections a day.
    """
    info = TypeInfo.fetch(conn, "vector")
    assert info is not None
    with _adapters_lock:
        if (info.oid, info.array_oid) not in _known_adapters:
            register_vector_info(conn, info)
            _known_adapters[info.oid, info.array_oid] = AdaptersMap(conn.adapters)
        return _known_adapters[info.oid, info.array_oid]
