"""Held connections to Dagster's storage for the length of a run.

Belongs here: that switch, and what else costs by the event. Does not: where the storage is (`home`).

Dagster opens a connection for every event by default, so that many idle instances hold none. A run over a batch writes
thousands of events: on 104 small documents, opening them took longer than all other work together.
"""

from __future__ import annotations

from functools import cache
from weakref import WeakSet

import dagster as dg

_STATEMENT_TIMEOUT_MS = 60_000
_POOL_RECYCLE_SECONDS = 1800
_MAX_OVERFLOW = 4
_held: WeakSet[dg.DagsterInstance] = WeakSet()


def hold_connections(instance: dg.DagsterInstance) -> None:
    """Let the storages of this instance keep a connection open, as they do under the webserver. Once is enough."""
    if instance not in _held:
        # It brings SQLAlchemy and alembic, which take longer to import than all definitions.
        from dagster._core.storage.event_log import SqlEventLogStorage

        instance.optimize_for_webserver(_STATEMENT_TIMEOUT_MS, _POOL_RECYCLE_SECONDS, _MAX_OVERFLOW)
        storage = instance.event_log_storage
        if isinstance(storage, SqlEventLogStorage):
            # It looks its tables up in the catalog for every evaluation of a check; they do not go away during a run.
            storage.has_table = cache(storage.has_table)
        _held.add(instance)
