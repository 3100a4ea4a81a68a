"""Each uploaded document is a dynamic partition.

Belongs here: the partitions definition and keeping it in step with the document table. Does not: making keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

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
    """Delete the keys Dagster knows of."""
    for key in keys:
        if instance.has_dynamic_partition(PARTITIONS_NAME, key):
            instance.delete_dynamic_partition(PARTITIONS_NAME, key)


def contiguous_ranges(order: Sequence[str], wanted: Collection[str], most: int) -> Iterator[list[str]]:
    """`wanted` as runs of neighbours in `order` (Dagster's order of insertion), each of at most `most` keys.

    A ranged run covers every key between its first and last, so only neighbours can share one.
    """
    chosen = set(wanted)
    batch: list[str] = []
    for key in order:
        if key in chosen and len(batch) < most:
            batch.append(key)
            continue
        if batch:
            yield batch
        batch = [key] if key in chosen else []
    if batch:
        yield batch


def range_tags(batch: Sequence[str]) -> dict[str, str]:
    """The tags that make a run one over all keys from the first to the last of `batch`."""
    return {ASSET_PARTITION_RANGE_START_TAG: batch[0], ASSET_PARTITION_RANGE_END_TAG: batch[-1]}
