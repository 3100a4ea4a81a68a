"""What Dagster knows of single documents: partitions, events, evaluations of checks, and forgetting those of erased ones.

Belongs here: deleting them from its storage, which offers no such thing for single partitions. Does not: erasing documents
(`ingest.removal`). Records of runs stay: they hold keys and counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from tvdb_pipeline.documents import tombstones
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME, drop_partitions
from tvdb_pipeline.orchestration.under_way import under_way

if TYPE_CHECKING:
    import sqlalchemy as db

    from tvdb_pipeline.database.pools import Database

_SLICE = 100
"""Partitions whose events are deleted by one statement."""


def forget_erased(instance: dg.DagsterInstance, database: Database) -> list[str]:
    """Delete partitions and events of erased documents, but for those runs are busy with; the keys.

    Deleting a key under a running run breaks that run: those are left for the next time.
    """
    waiting = tombstones.events_due(database)
    if not waiting:
        return []
    busy = under_way(instance, list(instance.get_dynamic_partitions(PARTITIONS_NAME)))
    due = {key: since for key, since in waiting.items() if key not in busy}
    drop_partitions(instance, [key for key, registered_anew in due.items() if registered_anew is None])
    forget_events(instance, due)
    tombstones.events_forgotten(database, due)
    return list(due)


def forget_events(instance: dg.DagsterInstance, until: Mapping[str, datetime | None]) -> None:
    """Delete events and evaluations of partitions. until: None: all; of one registered anew, those from before that moment."""
    # It brings SQLAlchemy, which takes longer to import than all definitions.
    from dagster._core.storage.event_log import SqlEventLogStorage

    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    gone = [key for key, moment in until.items() if moment is None]
    batches = [(gone[first : first + _SLICE], None) for first in range(0, len(gone), _SLICE)]
    batches += [([key], moment) for key, moment in until.items() if moment is not None]
    with storage.index_connection() as conn:
        for keys, moment in batches:
            _delete(conn, keys, moment)
        _renew_last_materializations(conn, set(until))
    instance.wipe_asset_cached_status(list(instance.all_asset_keys()))


def _delete(conn: db.Connection, keys: Sequence[str], before: datetime | None) -> None:
    import sqlalchemy as db
    from dagster._core.storage.event_log.schema import (
        AssetCheckExecutionsTable,
        AssetEventTagsTable,
        AssetKeyTable,
        SqlEventLogStorageTable,
    )

    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    # By asset and kind as well: there is an index that begins with these.
    of_keys: list[db.ColumnElement[bool]] = [
        events.asset_key.in_(db.select(AssetKeyTable.c.asset_key)),
        events.dagster_event_type.in_(_KINDS),
        events.partition.in_(keys),
    ]
    judged: list[db.ColumnElement[bool]] = [checks.partition.in_(keys)]
    if before is not None:
        moment = before.astimezone(UTC).replace(tzinfo=None)
        of_keys.append(events.timestamp < moment)
        judged.append(checks.evaluation_event_timestamp < moment)
    ids = [row[0] for row in conn.execute(db.select(events.id).where(*of_keys))]
    evaluations = [row[0] for row in conn.execute(db.select(checks.evaluation_event_storage_id).where(*judged))]
    for part in _parts(ids):
        conn.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(part)))
        conn.execute(SqlEventLogStorageTable.delete().where(events.id.in_(part)))
    for part in _parts([number for number in evaluations if number is not None]):
        # One that was only planned shares its event with others of its run.
        evaluated = events.dagster_event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
        conn.execute(SqlEventLogStorageTable.delete().where(events.id.in_(part), evaluated))
    conn.execute(AssetCheckExecutionsTable.delete().where(*judged))


def _renew_last_materializations(conn: db.Connection, keys: set[str]) -> None:
    """Dagster keeps a copy of the last event of each asset: if it was of one of these partitions, the last that is left takes
    its place."""
    import sqlalchemy as db
    from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
    from dagster_shared.serdes import deserialize_value, serialize_value

    assets, events = AssetKeyTable.c, SqlEventLogStorageTable.c
    kept = db.select(assets.asset_key, assets.last_materialization).where(assets.last_materialization.is_not(None))
    for asset, said in conn.execute(kept).fetchall():
        if deserialize_value(said, dg.EventLogRecord).partition_key not in keys:
            continue
        materialized = events.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION.value
        newest = db.select(events.id, events.event).where(events.asset_key == asset, materialized)
        left = conn.execute(newest.order_by(events.id.desc()).limit(1)).fetchone()
        last = (
            serialize_value(dg.EventLogRecord(left[0], deserialize_value(left[1], dg.EventLogEntry))) if left else None
        )
        conn.execute(AssetKeyTable.update().values(last_materialization=last).where(assets.asset_key == asset))


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(numbers), 1000):
        yield numbers[first : first + 1000]


_KINDS = [
    kind.value
    for kind in (
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        dg.DagsterEventType.ASSET_OBSERVATION,
        dg.DagsterEventType.ASSET_FAILED_TO_MATERIALIZE,
    )
]
