"""Dagster's daemon, once for each database.

Belongs here: the lock, held for as long as the daemon runs, and calling Dagster's own command. Does not: what the daemon does.
Two daemons on one storage would evaluate every sensor twice. The second one to come is refused: it ends with exit code 1 and one
sentence. Under a supervisor it is started again and again, and so stands by for the first.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import psycopg

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.privacy.process import begin
from tvdb_pipeline.settings import Settings, load_settings

LOCK = 0x74766264
"""An advisory lock of the database of TVDB_DATABASE_URL, held by a session of its own."""
_LOOK_SECONDS = 10.0


class OneDaemon:
    """The lock of a daemon. url: of the database, reached directly, as a pooler that shares sessions would share the lock."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = self._taken()

    def keep(self) -> None:
        """Hold it for ever; end this process in order once somebody else has it (after a restart of the database)."""
        while True:
            time.sleep(_LOOK_SECONDS)
            try:
                self._session.execute("SELECT 1")
            except psycopg.Error:
                self._again()

    def _again(self) -> None:
        try:
            self._session = self._taken()
        except psycopg.OperationalError:
            # The database is away, for everybody.
            return
        except TvdbError as error:
            print(f"tvdb: {error.message}", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGTERM)

    def _taken(self) -> psycopg.Connection[tuple[object, ...]]:
        """A session with the lock. Raises TvdbError(`another_daemon`)."""
        session = psycopg.connect(self._url, autocommit=True, connect_timeout=10, application_name="tvdb daemon")
        row = session.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if row != (True,):
            session.close()
            raise TvdbError("another_daemon", "Another daemon works on this database; this one is not needed.")
        return session


def main(settings: Settings) -> None:
    """Take the lock and be `dagster-daemon` with the arguments of this process."""
    assert settings.database_url is not None, "TVDB_DATABASE_URL is set by tvdb serve"
    begin()
    try:
        lock = OneDaemon(settings.database_url.get_secret_value())
    except TvdbError as error:
        print(f"tvdb: {error.message}", file=sys.stderr)
        sys.exit(1)
    except psycopg.OperationalError:
        print("tvdb: PostgreSQL cannot be reached; the daemon does not start.", file=sys.stderr)
        sys.exit(1)
    threading.Thread(target=lock.keep, daemon=True).start()
    from dagster._daemon.cli import main as run_daemon

    run_daemon()


if __name__ == "__main__":
    main(load_settings())
