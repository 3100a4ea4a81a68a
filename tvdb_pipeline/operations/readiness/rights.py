"""The role we are in the database: it does what it must, owns nothing, and nobody listens in on the way there.

Belongs here: who this connection is, what it and others may do, TLS. Does not: the database itself (`state`). Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

from tvdb_pipeline.database import grants
from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.database.tls import other_machine
from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.settings import Settings

_AREA = "database"
_MOST_NAMED = 3
_APPLICATION = "tvdb_application"


def rows(settings: Settings, conn: Connection, url: str) -> Iterator[Finding]:
    """Role, rights, TLS. conn: to the database of `url`, in autocommit."""
    yield _role(settings, conn)
    yield _rights(settings, conn)
    yield _encrypted(settings, conn, url)


def _role(settings: Settings, conn: Connection) -> Finding:
    row = conn.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert row is not None
    can = [what for what, has in zip(("do everything (superuser)", "make roles", "make databases", "replicate",
                                      "pass row security"), row, strict=True) if has]  # fmt: skip
    evidence = f"our role may {', '.join(can)}" if can else "our role is no administrator"
    if settings.env == "development":
        return not_needed(_AREA, "role", evidence)
    owned = conn.execute(_OWNED, {"schemas": list(grants.SCHEMAS)}).fetchall()
    if owned:
        evidence += f", and owns {', '.join(kind for (kind,) in owned)}"
    fit = not (can or owned)
    advice = f": give TVDB_DATABASE_URL a member of {_APPLICATION} (tvdb migrate, docs/security/roles.md)"
    return Finding(_AREA, "role", fit, f"{evidence} and owns nothing" if fit else evidence + advice)


_OWNED: LiteralString = """
    SELECT 'the database' FROM pg_database WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
    UNION SELECT 'schemas' FROM pg_namespace WHERE nspname = ANY(%(schemas)s) AND pg_has_role(nspowner, 'USAGE')
    UNION SELECT 'tables' FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = ANY(%(schemas)s) AND pg_has_role(relowner, 'USAGE')
    UNION SELECT 'functions' FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname = ANY(%(schemas)s) AND pg_has_role(proowner, 'USAGE') ORDER BY 1"""
"""What it owns by itself or as a member of the role that does."""


def _rights(settings: Settings, conn: Connection) -> Finding:
    """Whether everybody may do exactly what the table says, and our role is one of those who may work."""
    if settings.env == "development":
        return not_needed(_AREA, "rights", "the role that made the schema may do everything in it")
    member = conn.execute(
        "SELECT count(*) = 4, bool_or(rolname = %s AND pg_has_role(oid, 'USAGE')) FROM pg_roles WHERE rolname = ANY(%s)",
        (_APPLICATION, list(grants.ROLES)),
    ).fetchone()
    if member is None or not member[0]:
        return Finding(_AREA, "rights", False, "the roles of deploy/roles.sql are missing: run it, then tvdb migrate")
    if not member[1]:
        return Finding(_AREA, "rights", False, f"our role is no member of {_APPLICATION}: GRANT {_APPLICATION} TO it")
    absent = [name for name in grants.SCHEMAS if not _is_there(conn, name)]
    if absent:
        return Finding(_AREA, "rights", False, f"schema {', '.join(absent)} is missing: tvdb migrate makes it")
    unlike = grants.differences(conn)
    if not unlike:
        return Finding(_AREA, "rights", True, "of all roles, as docs/security/roles.md lists them")
    named = ", ".join(
        f"{difference.who} {'has' if difference.held else 'lacks'} {difference.verb} on {difference.what}"
        for difference in unlike[:_MOST_NAMED]
    )
    return Finding(_AREA, "rights", False, f"{len(unlike)} are not as listed ({named}): tvdb migrate mends them")


def _is_there(conn: Connection, schema: str) -> bool:
    return conn.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", (schema,)).fetchone() == (True,)


def _encrypted(settings: Settings, conn: Connection, url: str) -> Finding:
    if other_machine(url) is None:
        return not_needed(_AREA, "encrypted", "on this machine")
    # Our end of it, which is what we can vouch for: the server's may be a pooler's.
    if not conn.pgconn.ssl_in_use:
        why = " as TVDB_DATABASE_TLS=trusted_network has it" if settings.database_tls == "trusted_network" else ""
        return Finding(
            _AREA, "encrypted", False, f"another machine, in clear{why}: add sslmode=verify-full to TVDB_DATABASE_URL"
        )
    unverified = settings.database_tls == "trusted_network"
    return Finding(_AREA, "encrypted", True, "TLS" if unverified else "TLS; its certificate and name are verified")
