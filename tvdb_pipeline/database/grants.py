"""What each of the four roles may do, as a table; docs/security/roles.md shows the same one.

Belongs here: the table, comparing a database with it, and bringing it there. Does not: making roles, or who owns what (`roles`).

A table of schema tvdb that is not named here is for nobody but its owner, and a test fails. Objects of Dagster, whose names come
and go with its versions, are named by kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import psycopg
from psycopg.rows import TupleRow

Connection = psycopg.Connection[TupleRow]
Role = Literal["tvdb_migration", "tvdb_application", "tvdb_read_only", "tvdb_backup"]
MIGRATION: Role = "tvdb_migration"
ROLES: tuple[Role, ...] = ("tvdb_migration", "tvdb_application", "tvdb_read_only", "tvdb_backup")
"""The group roles; nobody logs in as one, logins are members."""
SCHEMAS = ("tvdb", "dagster")
VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
"""What the letters below stand for, on tables. On sequences `U` is USAGE, on schemas too; on functions `X` is EXECUTE."""

TABLES: dict[str, tuple[str, str, str]] = {
    "tvdb.alert_deliveries": ("SIU", "S", "S"),
    "tvdb.alerts": ("SIU", "S", "S"),
    "tvdb.audit": ("SI", "S", "S"),
    "tvdb.breaker": ("SU", "S", "S"),
    "tvdb.document_texts": ("SID", "", "S"),
    "tvdb.documents": ("SIU", "S", "S"),
    "tvdb.dollar_windows": ("SIU", "S", "S"),
    "tvdb.embedding_cache": ("SID", "S", "S"),
    "tvdb.embedding_claims": ("SIUD", "", "S"),
    "tvdb.former_artifacts": ("SIUD", "", "S"),
    "tvdb.journal": ("SI", "S", "S"),
    "tvdb.listings": ("SIU", "S", "S"),
    "tvdb.observations": ("SIUD", "", "S"),
    "tvdb.redactions": ("SI", "S", "S"),
    "tvdb.refused_texts": ("SID", "", "S"),
    "tvdb.request_shares": ("SI", "S", "S"),
    "tvdb.request_window": ("SU", "S", "S"),
    "tvdb.requests": ("SIU", "S", "S"),
    "tvdb.safekeeping": ("S", "S", "SI"),
    "tvdb.schema_migrations": ("S", "S", "S"),
    "tvdb.texts_to_forget": ("SID", "", "S"),
    "tvdb.tombstones": ("SIU", "S", "S"),
    "tvdb.vector_rows": ("SID", "S", "S"),
    "dagster.alembic_version": ("S", "", "S"),
    "dagster.daemon_heartbeats": ("SIUD", "S", "S"),
    "dagster.*": ("SIUD", "", "S"),
}
"""Verbs of application, read-only and backup, by table. tvdb_migration owns them all."""
SEQUENCES: dict[str, tuple[str, str, str]] = {"tvdb.*": ("", "", "S"), "dagster.*": ("U", "", "S")}
"""Numbers of tvdb's tables are identities, for which the right to insert is enough; a dump reads where each sequence stands."""
FUNCTIONS: dict[str, tuple[str, str, str]] = {
    "tvdb.make_vector_index": ("X", "", ""),
    "tvdb.lock_audit": ("X", "", ""),
}
"""The others are bodies of triggers, which nobody calls."""
_SCHEMA_RIGHTS: dict[str, tuple[str, str, str, str]] = {
    "tvdb": ("", "USAGE", "USAGE", "USAGE"),
    "dagster": ("", "USAGE", "USAGE", "USAGE"),
}
_VECTOR_SCHEMA_RIGHTS = ("USAGE", "USAGE", "USAGE", "USAGE")
"""The schema pgvector was made in, mostly `public`: without it there is no type `vector`."""
_DATABASE_RIGHTS = ("CONNECT CREATE TEMPORARY", "CONNECT TEMPORARY", "CONNECT", "CONNECT")
"""Of ROLES, in that order. The application stages rows in temporary tables."""

_MAY_PASS_ON = "*"
"""After a verb that was given with the right to give it on; nobody is to have that."""

Kind = Literal["database", "schema", "table", "sequence", "function"]


class Difference(NamedTuple):
    """A right that is not as the table has it.

    what: the object, as SQL names it; who: a role or PUBLIC, as SQL names it; held: it has it and should not, else the other way
    round; ours: whether the role of this connection may give and take it, as the object's owner.
    """

    kind: Kind
    what: str
    who: str
    verb: str
    held: bool
    ours: bool


class _Object(NamedTuple):
    """kind, what: as in Difference; name: to be looked up in the table above; owner: as SQL names it; rights: (who, verb) pairs
    of all but the owner."""

    kind: Kind
    what: str
    name: str
    owner: str
    ours: bool
    rights: set[tuple[str, str]]


def differences(conn: Connection) -> list[Difference]:
    """Everything that PUBLIC or any role but the owner may do and should not, or should and may not."""
    found: list[Difference] = []
    for each in _objects(conn):
        wanted = {(role, verb) for role, verb in _wanted(each) if role != each.owner}
        found += [
            Difference(each.kind, each.what, who, verb, (who, verb) in each.rights, each.ours)
            for who, verb in sorted(wanted ^ each.rights)
        ]
    return found


def apply(conn: Connection) -> int:
    """Give and take what differs, as far as this connection's role owns the objects; how many rights. All or nothing.

    The four roles must be there. What is left afterwards, `differences` names.
    """
    mine = [difference for difference in differences(conn) if difference.ours]
    with conn.transaction():
        # Taken first: a right that may be passed on and should not is taken, and given again without.
        for _, statement in sorted((not difference.held, _statement(difference)) for difference in mine):
            conn.execute(statement)  # pyright: ignore[reportArgumentType,reportCallIssue]
    return len(mine)


def _statement(difference: Difference) -> str:
    """Names are quoted by the catalogue they were read from."""
    kind, what, who, verb, held, _ = difference
    verb = verb.removesuffix(_MAY_PASS_ON)
    return f"REVOKE {verb} ON {kind} {what} FROM {who}" if held else f"GRANT {verb} ON {kind} {what} TO {who}"


def _wanted(each: _Object) -> Iterator[tuple[str, str]]:
    if each.kind == "database":
        rights = _DATABASE_RIGHTS
    elif each.kind == "schema":
        rights = _SCHEMA_RIGHTS.get(each.name, _VECTOR_SCHEMA_RIGHTS)
    else:
        letters = {"table": VERBS, "sequence": {"S": "SELECT", "U": "USAGE"}, "function": {"X": "EXECUTE"}}[each.kind]
        rights = ("", *(" ".join(letters[letter] for letter in listed) for listed in listed_for(each.kind, each.name)))
    for role, verbs in zip(ROLES, rights, strict=True):
        yield from ((role, verb) for verb in verbs.split())


def listed_for(kind: Literal["table", "sequence", "function"], name: str) -> tuple[str, str, str]:
    """The letters of an object: its own line, else that of its schema, else nothing. name: with its schema, unquoted."""
    listed = {"table": TABLES, "sequence": SEQUENCES, "function": FUNCTIONS}[kind]
    return listed.get(name) or listed.get(f"{name.partition('.')[0]}.*", ("", "", ""))


def _objects(conn: Connection) -> list[_Object]:
    rows = conn.execute(
        """WITH ours AS (
               SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%(schemas)s)),
           known (kind, what, name, owner, acl) AS (
               SELECT 'database', quote_ident(datname), datname::text, datdba, coalesce(datacl, acldefault('d', datdba))
               FROM pg_database WHERE datname = current_database()
               UNION ALL SELECT 'schema', quote_ident(nspname), nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
               FROM pg_namespace n
               WHERE n.oid IN (SELECT oid FROM ours UNION SELECT extnamespace FROM pg_extension WHERE extname = 'vector')
               UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, format('%%I.%%I', nspname, relname),
                   nspname || '.' || relname, relowner,
                   coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
               FROM pg_class c JOIN ours ON ours.oid = c.relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
               UNION ALL SELECT 'function', p.oid::regprocedure::text, nspname || '.' || proname, proowner,
                   coalesce(proacl, acldefault('f', proowner))
               FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace)
           SELECT kind, what, name, quote_ident(o.rolname), pg_has_role(owner, 'USAGE'),
               coalesce(array_agg(ARRAY[coalesce(quote_ident(g.rolname), 'PUBLIC'),
                   a.privilege_type || CASE WHEN a.is_grantable THEN %(passes)s ELSE '' END])
                   FILTER (WHERE a.grantee IS NOT NULL), '{}')
           FROM known JOIN pg_roles o ON o.oid = owner
               LEFT JOIN LATERAL (SELECT * FROM aclexplode(acl) WHERE grantee <> owner) a ON true
               LEFT JOIN pg_roles g ON g.oid = a.grantee
           GROUP BY kind, what, name, owner, o.rolname ORDER BY 1, 2""",
        {"schemas": list(SCHEMAS), "passes": _MAY_PASS_ON},
    )
    return [
        _Object(kind, what, name, owner, ours, {(who, verb) for who, verb in rights})
        for kind, what, name, owner, ours, rights in rows
    ]
