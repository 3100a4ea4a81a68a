"""Letting Dagster forget documents that are finished and were not touched for long.

Belongs here: which ones; their partitions, events, and runs that were of them alone. Does not: documents, rows, the bill: they
stay as they are. A document whose file changes later is a partition again, as a new one is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from tvdb_pipeline.orchestration.forgetting import forget_events
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME, drop_partitions
from tvdb_pipeline.orchestration.under_way import covered, under_way

if TYPE_CHECKING:
    from tvdb_pipeline.database.pools import Database

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_SLICE, _PAGE = 1000, 200
"""Documents forgotten together, so that one that is interrupted has done most of it; runs read together."""
_NAMING = (PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)


@dataclass(frozen=True, slots=True)
class Archived:
    """documents: that Dagster forgot; runs: likewise; busy: left for later, runs are under way over them; partitions: left."""

    documents: int
    runs: int
    busy: int
    partitions: int


def archive(instance: dg.DagsterInstance, database: Database, days: float) -> Archived:
    """Forget documents that have been ready, as they are, for so many days."""
    order = list(instance.get_dynamic_partitions(PARTITIONS_NAME))
    finished = {
        row[0]
        for row in database.fetch(
            "SELECT key FROM tvdb.documents WHERE state = 'ready' AND updated_at < now() - make_interval(secs => %s)",
            (days * 86_400,),
        )
    }
    busy = under_way(instance, order)
    old = [key for key in order if key in finished]
    leaving = [key for key in old if key not in busy]
    for first in range(0, len(leaving), _SLICE):
        part = leaving[first : first + _SLICE]
        forget_events(instance, dict.fromkeys(part))
        drop_partitions(instance, part)
    runs = _forget_runs(instance, order, set(leaving), days)
    return Archived(len(leaving), runs, len(old) - len(leaving), len(order) - len(leaving))


def _forget_runs(instance: dg.DagsterInstance, order: Sequence[str], left: set[str], days: float) -> int:
    """Forget ended runs of so long ago none of whose documents is a partition any more: their other events go with them.

    order: partitions before any was dropped; left: those that were.
    """
    position = {key: index for index, key in enumerate(order)}
    gone: list[str] = []
    for run in _ended_before(instance, datetime.now(UTC) - timedelta(days=days)):
        named = [run.tags[tag] for tag in _NAMING if tag in run.tags]
        # One end known and the other not: what lay between them cannot be told any more.
        known = {key in position for key in named}
        if named and len(known) == 1 and left.issuperset(covered(run.tags, order, position)):
            gone.append(run.run_id)
    gone = [run_id for run_id in gone if not _tells_of_documents(instance, run_id)]
    for run_id in gone:
        instance.delete_run(run_id)
    return len(gone)


def _tells_of_documents(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether events of a run are left that are of partitions: where both its ends are gone, some between them may not be."""
    import sqlalchemy as db
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

    storage, events = instance.event_log_storage, SqlEventLogStorageTable.c
    assert isinstance(storage, SqlEventLogStorage)
    of_partitions = db.select(events.id).where(events.run_id == run_id, events.partition.is_not(None)).limit(1)
    with storage.index_connection() as conn:
        return conn.execute(of_partitions).fetchone() is not None


def _ended_before(instance: dg.DagsterInstance, moment: datetime) -> Iterator[dg.DagsterRun]:
    cursor, wanted = None, dg.RunsFilter(statuses=_ENDED, updated_before=moment)
    while runs := instance.get_runs(wanted, cursor=cursor, limit=_PAGE):
        yield from runs
        cursor = runs[-1].run_id
