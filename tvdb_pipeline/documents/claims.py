"""Who works on a document: a row lease with a heartbeat and a fencing number.

Belongs here: taking, extending and giving back leases. Does not: what is done under them. A claim that lapses (its process
was killed) may be taken by anyone; the number it had then no longer fits, so its late writes are refused.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from uuid import uuid4

from tvdb_pipeline.database.pools import Connection, Database


class Claims:
    """The leases one batch holds. Use as a context manager: a thread extends them; all are given back at the end.

    run_id: of the Dagster run it belongs to, for the journal.
    """

    def __init__(self, database: Database, lease_seconds: float = 60.0, run_id: str | None = None) -> None:
        self.owner = uuid4().hex
        self._run_id = run_id
        self._database = database
        self._lease = lease_seconds
        self._held: dict[str, int] = {}
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="tvdb-claims", daemon=True)

    def __enter__(self) -> Claims:
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._heart.join()
        with self._database.connection() as conn:
            for key in list(self._held):
                self.release(conn, key)

    def take(self, keys: Sequence[str]) -> dict[str, int]:
        """Claim what is free or lapsed of `keys`; key -> fencing number for those got."""
        rows = self._database.fetch(
            """UPDATE tvdb.documents SET claim_owner = %s, claim_until = now() + make_interval(secs => %s), fence = fence + 1,
                   run_id = %s
               WHERE key IN (SELECT key FROM tvdb.documents WHERE key = ANY(%s) AND state <> 'deleted'
                             AND (claim_until IS NULL OR claim_until < now()) ORDER BY key FOR UPDATE SKIP LOCKED)
               RETURNING key, fence""",
            (self.owner, self._lease, self._run_id, list(keys)),
        )
        got: dict[str, int] = {row[0]: row[1] for row in rows}
        self._held.update(got)
        return got

    def release(self, conn: Connection, key: str) -> None:
        """Give one document back."""
        fence = self._held.pop(key, None)
        conn.execute(
            "UPDATE tvdb.documents SET claim_owner = NULL, claim_until = NULL WHERE key = %s AND claim_owner = %s AND fence = %s",
            (key, self.owner, fence),
        )

    def _beat(self) -> None:
        while not self._stop.wait(self._lease / 3):
            # A beat that fails (the database restarts) must not end the heart: two more fit into the lease.
            with suppress(Exception):
                self._database.run(
                    "UPDATE tvdb.documents SET claim_until = now() + make_interval(secs => %s)"
                    " WHERE key = ANY(%s) AND claim_owner = %s",
                    (self._lease, list(self._held), self.owner),
                )
