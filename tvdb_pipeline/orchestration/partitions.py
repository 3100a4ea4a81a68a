"""Each uploaded document is a dynamic partition.

Belongs here: the partitions definition and keeping it in step with the document table. Does not: making keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

PARTITIONS_NAME = "documents"
_SLICE = 1000
"""Keys deleted by one statement."""
documents = dg.DynamicPartitionsDefinition(name=PARTITIONS_NAME)


def add_partitions(instance: dg.DagsterInstance, keys: Sequence[str]) -> list[str]:
    """Add the keys Dagster does not know yet, in the order given; those added."""
    present = set(instance.get_dynamic_partitions(PARTITIONS_NAME))
    new = [key for key in dict.fromkeys(keys) if key not in present]
    if new:
        instance.add_dynamic_partitions(PARTITIONS_NAME, new)
    return new


def drop_partitions(instance: dg.DagsterInstance, keys: Sequence[str]) -> None:
    """Delete the keys Dagster knows of. A run under way over one of them, or over neighbours on both sides, breaks."""
    # Dagster deletes them one by one, with a connection for each. Both imports bring SQLAlchemy, which definitions do without.
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import DynamicPartitionsTable

    storage, known = instance.event_log_storage, DynamicPartitionsTable.c
    assert isinstance(storage, SqlEventLogStorage)
    with storage.index_connection() as conn:
        for first in range(0, len(keys), _SLICE):
            these = known.partition.in_(keys[first : first + _SLICE])
            conn.execute(DynamicPartitionsTable.delete().where(known.partitions_def_name == PARTITIONS_NAME, these))


def range_tags(batch: Sequence[str]) -> dict[str, str]:
    """The tags that make a run one over all keys from the first to the last of `batch`."""
    return {ASSET_PARTITION_RANGE_START_TAG: batch[0], ASSET_PARTITION_RANGE_END_TAG: batch[-1]}
