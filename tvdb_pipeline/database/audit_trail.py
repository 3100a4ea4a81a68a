"""Putting on record who does what.

Belongs here: telling the database who this process is, and adding an entry. Does not: reading or verifying the record
(`operations.audit`). Documents, backups and migrations put themselves on record, by triggers of operations/sql/0014_audit.sql in
the transaction that changes them; what changes no such row is added from here. Entries hold keys, counts, codes and names of
settings: no text, query or path.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.rows import TupleRow

Connection = psycopg.Connection[TupleRow]
Action = Literal[
    "registered", "ingested", "vanished", "deleted", "searched", "quoted", "limit_changed", "agreement_changed",
    "redaction_changed", "backed_up", "restored", "drilled", "migrated",
]  # fmt: skip
_LOGIN = Path("/proc/self/loginuid")
_NO_LOGIN = 2**32 - 1
_SERVERS = {"dagster api": "code-server", "dagster-webserver": "webserver", "dagster-daemon": "daemon"}


def introduce(conn: Connection) -> None:
    """Tell the database, for as long as this connection lasts, who this process is. Leaves no transaction open."""
    conn.execute(
        "SELECT set_config('tvdb.actor', %s, false), set_config('tvdb.process', %s, false)",
        (actor(), process(sys.argv)),
    )
    conn.commit()


def add(
    conn: Connection,
    action: Action,
    figures: Mapping[str, object],
    subject: str | None = None,
    run_id: str | None = None,
) -> None:
    """Add one entry in the transaction of `conn`, as the last it does: entries wait for each other until it ends.

    figures: keys of documents, counts, codes, names and values of settings; subject: a document's key.
    """
    conn.execute(
        "INSERT INTO tvdb.audit (action, subject, run_id, figures) VALUES (%s, %s, %s, %s)",
        (action, subject, run_id, json.dumps(figures)),
    )


def actor() -> str:
    """The user this process runs as; with whoever logged in, where the kernel keeps that through `sudo` and services."""
    user = _name(os.getuid())
    login = _NO_LOGIN
    with suppress(OSError, ValueError):
        login = int(_LOGIN.read_text())
    return user if login in (_NO_LOGIN, os.getuid()) else f"{user} (login {_name(login)})"


def process(arguments: Sequence[str]) -> str:
    """What this process is, from its arguments: `tvdb ingest`, `code-server`, `python`. No argument but a command's name."""
    program = Path(arguments[0]) if arguments and arguments[0] not in ("", "-c", "-m") else Path("python")
    name = program.parent.name if program.stem == "__main__" else program.stem
    if name in ("tvdb", "dagster") and len(arguments) > 1 and re.fullmatch(r"[a-z][a-z-]{0,30}", arguments[1]):
        name = f"{name} {arguments[1]}"
    return _SERVERS.get(name, name)[:60]


def _name(uid: int) -> str:
    # Not what the environment says: anybody may say there what they like.
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
