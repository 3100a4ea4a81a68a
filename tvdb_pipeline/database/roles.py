"""The four group roles: making them, and giving everything of ours to the one that owns it.

Belongs here: roles and ownership. Does not: rights (`grants`), or tables (`migrations`). Roles belong to a whole server, so that
only its administrator makes them, or a role that may make roles; deploy/roles.sql is for the first.
"""

from __future__ import annotations

import psycopg

from tvdb_pipeline.database import grants
from tvdb_pipeline.database.grants import MIGRATION, ROLES, SCHEMAS, Connection
from tvdb_pipeline.errors import TvdbError

_RUN = "an administrator runs deploy/roles.sql in this database once"


def make(conn: Connection) -> list[str]:
    """Make those that are missing, and have this connection's role act as tvdb_migration; those made.

    Raises TvdbError(`no_roles`).
    """
    missing = _missing(conn)
    try:
        with conn.transaction():
            for role in missing:
                conn.execute(f"CREATE ROLE {role} NOLOGIN")  # pyright: ignore[reportArgumentType,reportCallIssue]
            if not _acts_as_migration(conn):
                conn.execute(f"GRANT {MIGRATION} TO CURRENT_USER")
    except psycopg.errors.InsufficientPrivilege:
        lacking = f"The roles {', '.join(missing)} are missing" if missing else f"This role is no member of {MIGRATION}"
        raise TvdbError("no_roles", f"{lacking}: {_RUN}, then try again.") from None
    return missing


def make_place(conn: Connection) -> None:
    """pgvector and the schemas, where they are missing. Raises TvdbError(`no_place`)."""
    try:
        with conn.transaction():
            conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
            for name in absent_schemas(conn):
                conn.execute(f"CREATE SCHEMA {name} AUTHORIZATION {MIGRATION}")  # pyright: ignore[reportArgumentType,reportCallIssue]
    except psycopg.errors.InsufficientPrivilege:
        raise TvdbError("no_place", f"This role may make neither pgvector nor schemas here: {_RUN}.") from None


def absent_schemas(conn: Connection) -> list[str]:
    """Of SCHEMAS. Asked first: making one `IF NOT EXISTS` takes the right to make it also where it exists."""
    there = conn.execute("SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)", (list(SCHEMAS),)).fetchall()
    return [name for name in SCHEMAS if (name,) not in there]


def settle(conn: Connection) -> tuple[int, int]:
    """Everything of ours to tvdb_migration, and rights as they are listed; how many objects and rights that changed.

    Nothing where the roles are not in use: development, and what a role outside them restores. Raises TvdbError(`not_owner`).
    """
    if _missing(conn) or not _acts_as_migration(conn):
        return 0, 0
    return hand_over(conn), grants.apply(conn)


def hand_over(conn: Connection) -> int:
    """Make tvdb_migration the owner of the schemas and all that is in them; how many objects changed hands.

    The database itself too, where this role may give that away. Raises TvdbError(`not_owner`).
    """
    rows = conn.execute(
        """SELECT statement FROM (
               SELECT 0, format('ALTER DATABASE %%I OWNER TO %%I', datname, %(owner)s::text) FROM pg_database, pg_roles
               WHERE datname = current_database() AND rolname = current_user AND datdba <> to_regrole(%(owner)s)
                   AND (rolsuper OR rolcreatedb AND pg_has_role(datdba, 'USAGE'))
               UNION ALL SELECT 1, format('ALTER SCHEMA %%I OWNER TO %%I', nspname, %(owner)s::text) FROM pg_namespace
               WHERE nspname = ANY(%(schemas)s) AND nspowner <> to_regrole(%(owner)s)
               UNION ALL SELECT 2, format('ALTER TABLE %%I.%%I OWNER TO %%I', nspname, relname, %(owner)s::text)
               FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
               WHERE nspname = ANY(%(schemas)s) AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relowner <> to_regrole(%(owner)s)
               UNION ALL SELECT 3, format('ALTER ROUTINE %%s OWNER TO %%I', p.oid::regprocedure, %(owner)s::text)
               FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
               WHERE nspname = ANY(%(schemas)s) AND proowner <> to_regrole(%(owner)s)) AS theirs (place, statement)
           ORDER BY place, statement""",
        {"owner": MIGRATION, "schemas": list(SCHEMAS)},
    )
    statements = [statement for (statement,) in rows.fetchall()]
    try:
        with conn.transaction():
            for statement in statements:
                conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        raise TvdbError(
            "not_owner",
            "What is in this database belongs to another role: run tvdb migrate as its owner, or as an administrator, once.",
        ) from None
    return len(statements)


def _missing(conn: Connection) -> list[str]:
    there = conn.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(ROLES),)).fetchall()
    return [role for role in ROLES if (role,) not in there]


def _acts_as_migration(conn: Connection) -> bool:
    return conn.execute("SELECT pg_has_role(%s, 'USAGE')", (MIGRATION,)).fetchone() == (True,)
