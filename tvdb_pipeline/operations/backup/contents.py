"""What a database holds, in figures that two databases can be compared by.

Belongs here: digests of tables, definitions of indexes, the artifacts documents name. Does not: copying.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]
SCHEMAS = ("tvdb", "dagster")


def tables(conn: Connection) -> dict[str, tuple[int, str]]:
    """Rows and a digest that does not depend on their order, by schema and name."""
    found: dict[str, tuple[int, str]] = {}
    names = conn.execute(
        """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'r' AND n.nspname = ANY(%s) ORDER BY 1, 2""",
        (list(SCHEMAS),),
    ).fetchall()
    for schema, name in names:
        query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} AS t")
        row = conn.execute(query.format(sql.Identifier(schema, name))).fetchone()
        assert row is not None
        found[f"{schema}.{name}"] = (row[0], row[1])
    return found


def indexes(conn: Connection) -> dict[str, str]:
    """Definitions by name."""
    rows = conn.execute(
        "SELECT schemaname || '.' || indexname, indexdef FROM pg_indexes WHERE schemaname = ANY(%s) ORDER BY 1",
        (list(SCHEMAS),),
    )
    return {name: definition for name, definition in rows.fetchall()}


def migration(conn: Connection) -> int:
    """The number of the last one applied."""
    row = conn.execute("SELECT max(number) FROM tvdb.schema_migrations").fetchone()
    assert row is not None
    return int(row[0])


def artifacts(conn: Connection) -> set[tuple[str, str]]:
    """(stage, version) that documents name: what a stage passed with last, and the bytes of attached files."""
    rows = conn.execute(
        """SELECT v.stage, v.version FROM tvdb.documents d, jsonb_each_text(d.versions) AS v (stage, version)
           WHERE d.state <> 'deleted' AND v.stage IN ('raw_file', 'parsed_text', 'chunks')
           UNION SELECT 'raw_file', given_sha256 FROM tvdb.documents WHERE given_sha256 IS NOT NULL AND state <> 'deleted'"""
    )
    return {(stage, version) for stage, version in rows.fetchall()}
