"""What documents leave in PostgreSQL, and how many connections it bears: figures of the capacity model.

Belongs here: counting rows, bytes and connections. Does not: making documents.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

_EVERY_SECONDS = 0.5
_LEAST_BYTES = 50
"""Tables with less than that a document are nothing to plan for."""


def left_behind(url: str, documents: int) -> dict[str, Any]:
    """Rows, and bytes with indexes, a document: of each table that grows with them, largest first."""
    tables: dict[str, dict[str, float]] = {}
    with psycopg.connect(url) as conn:
        found = conn.execute(
            """SELECT n.nspname, c.relname, pg_total_relation_size(c.oid) FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname IN ('tvdb', 'dagster') AND c.relkind = 'r' AND c.relname <> 'schema_migrations' ORDER BY 3 DESC"""
        ).fetchall()
        for schema, name, size in found:
            row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))).fetchone()
            assert row is not None
            if row[0] > documents / 20 and size / documents >= _LEAST_BYTES:
                tables[f"{schema}.{name}"] = {"rows": round(row[0] / documents, 2), "bytes": round(size / documents)}
    return tables


@dataclass
class Connections:
    """at_once: the most at one moment."""

    at_once: int = 0


@contextmanager
def connections(url: str) -> Generator[Connections]:
    """Count connections of others to this database twice a second until left."""
    counted, ended = Connections(), threading.Event()
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    def count() -> None:
        while not ended.wait(_EVERY_SECONDS):
            with suppress(psycopg.Error), psycopg.connect(url) as conn:
                row = conn.execute(query).fetchone()
                counted.at_once = max(counted.at_once, row[0] if row else 0)

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield counted
    finally:
        ended.set()
        thread.join()
