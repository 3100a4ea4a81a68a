"""Held connections to Dagster's storage for the length of a run.

Belongs here: that one switch. Does not: where the storage is (`home`).

Dagster opens a connection for every event by default, so that many idle instances hold none. A run over a batch writes
thousands of events: on 104 small documents, opening them took longer than all other work together.
"""

from __future__ import annotations

from weakref import WeakSet

import dagster as dg

_STATEMENT_TIMEOUT_MS = 60_000
_POOL_RECYCLE_SECONDS = 1800
_MAX_OVERFLOW = 4
_held: WeakSet[dg.DagsterInstance] = WeakSet()


def hold_connections(instance: dg.DagsterInstance) -> None:
    """Let the storages of this instance keep a connection open, as they do under the webserver. Once is enough."""
    if instance not in _held:
        instance.optimize_for_webserver(_STATEMENT_TIMEOUT_MS, _POOL_RECYCLE_SECONDS, _MAX_OVERFLOW)
        _held.add(instance)
