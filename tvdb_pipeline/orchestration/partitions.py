"""Each uploaded document is a dynamic partition.

Belongs here: the partitions definition and keeping it in step with the document table. Does not: making keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

PARTITIONS_NAME = "documents"
documents = dg.DynamicPartitionsDefinition(name=PARTITIONS_NAME)


def add_partitions(instance: dg.DagsterInstance, keys: Sequence[str]) -> list[str]:
    """Add the keys Dagster does not know yet, in the order given; those added."""
    present = set(instance.get_dynamic_partitions(PARTITIONS_NAME))
    new = [key for key in dict.fromkeys(keys) if key not in present]
    if new:
        instance.add_dynamic_partitions(PARTITIONS_NAME, new)
    return new


def drop_partitions(instance: dg.DagsterInstance, keys: Collection[str]) -> None:
    """Delete the keys Dagster knows of. A run under way over one of them, or over neighbours on both sides, breaks."""
    for key in keys:
        if instance.has_dynamic_partition(PARTITIONS_NAME, key):
            instance.delete_dynamic_partition(PARTITIONS_NAME, key)


def range_tags(batch: Sequence[str]) -> dict[str, str]:
    """The tags that make a run one over all keys from the first to the last of `batch`."""
    return {ASSET_PARTITION_RANGE_START_TAG: batch[0], ASSET_PARTITION_RANGE_END_TAG: batch[-1]}
