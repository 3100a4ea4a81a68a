"""`tvdb migrate`: a database as this version needs it, for roles that may do what they must and no more.

Belongs here: the order of that. Does not: any migration, role or right itself (`database`).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from tvdb_pipeline.database import grants, roles, tls
from tvdb_pipeline.database.audit_trail import introduce
from tvdb_pipeline.database.migrations import migrate
from tvdb_pipeline.database.pools import Database, database_url
from tvdb_pipeline.embedding.models import model_of
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import Settings
from tvdb_pipeline.vectorstore.indexes import ensure_index


@dataclass(frozen=True, slots=True)
class Prepared:
    """migrations: applied now; roles: made now; handed_over: objects that now belong to tvdb_migration; rights: given or taken;
    index: over vectors of the model of these settings."""

    migrations: list[str]
    roles: list[str]
    handed_over: int
    rights: int
    index: str


def prepare(settings: Settings) -> Prepared:
    """Make what is missing: roles, schemas, migrations, Dagster's tables, the vector index; then own and grant all of it.

    Safe to repeat, also while servers run. Raises TvdbError: `database_unreachable`, `database_unverified`, `no_roles`,
    `no_place`, `not_owner`, `rights_left`.
    """
    from tvdb_pipeline.orchestration.storage_tables import make_tables

    url = database_url(settings)
    with _connected(url) as conn:
        made = roles.make(conn)
        roles.make_place(conn)
        # Before the migrations, which are done as the owner: also those of a database that had no roles.
        moved, given = roles.settle(conn)
        applied = migrate(conn)
    make_tables(settings, url)
    database = Database(url, size=2).open()
    try:
        index = ensure_index(database, model_of(settings))
    finally:
        database.close()
    with _connected(url) as conn:
        more_moved, more_given = roles.settle(conn)
        _refuse_unlike(conn)
    return Prepared(applied, made, moved + more_moved, given + more_given, index)


@contextmanager
def _connected(url: str) -> Generator[psycopg.Connection[TupleRow]]:
    try:
        conn = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        raise tls.refusal(error) or TvdbError(
            "database_unreachable", "PostgreSQL cannot be reached; check TVDB_DATABASE_URL.", retryable=True
        ) from None
    with conn:
        introduce(conn)
        yield conn


def _refuse_unlike(conn: psycopg.Connection[TupleRow]) -> None:
    left = grants.differences(conn)
    if left:
        places = ", ".join(sorted({f"{difference.kind} {difference.what}" for difference in left}))
        raise TvdbError(
            "rights_left",
            f"Rights on {places} are not this role's to give or take; all else is done. Run tvdb migrate once as the owner of "
            "the database or as an administrator.",
        )
