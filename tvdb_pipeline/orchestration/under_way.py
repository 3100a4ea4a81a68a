"""Which documents runs are busy with, and the end of runs whose worker is gone.

Belongs here: reading runs. Does not: launching any (`sensors`, `launching`).

A run whose worker was killed is told to Dagster by the code server that started it. Where that one is gone too, or the run was
begun on a command line, nobody tells, and Dagster shows it as started for hours, its documents kept from every other run. A
worker that lives holds claims on its documents and beats for them: a run without any has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from tvdb_pipeline.orchestration.jobs import JOB_NAME

if TYPE_CHECKING:
    from tvdb_pipeline.database.pools import Database

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_LEASES_OF_SILENCE = 3


def under_way(instance: dg.DagsterInstance, order: Sequence[str]) -> set[str]:
    """Keys that runs queued or started by anybody cover. order: all partitions, as Dagster keeps them."""
    position = {key: index for index, key in enumerate(order)}
    busy: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)):
        busy.update(covered(run.tags, order, position))
    return busy


def end_stranded(
    instance: dg.DagsterInstance, database: "Database", order: Sequence[str], lease_seconds: float
) -> list[str]:
    """Have Dagster mark as failed the runs of documents whose worker is gone; their ids.

    lease_seconds: of a claim. A run is given three of them to claim its first document, and as long between two signs of life: a
    claim of anybody on one of its documents, or an entry in the journal.
    """
    silence = _LEASES_OF_SILENCE * lease_seconds
    position = {key: index for index, key in enumerate(order)}
    now = database.fetch("SELECT extract(epoch FROM now())")[0][0]
    ended: list[str] = []
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], job_name=JOB_NAME)
    for record in instance.get_run_records(started):
        keys = list(covered(record.dagster_run.tags, order, position))
        old = record.start_time is not None and float(now) - record.start_time > silence
        if old and keys and _silent(database, keys, silence):
            instance.report_run_failed(
                record.dagster_run, "The process of this run is gone; its documents go on in another run."
            )
            ended.append(record.dagster_run.run_id)
    return ended


def _silent(database: "Database", keys: list[str], seconds: float) -> bool:
    return database.fetch(
        """SELECT NOT EXISTS (SELECT FROM tvdb.documents WHERE key = ANY(%(keys)s) AND claim_until > now())
              AND NOT EXISTS (SELECT FROM tvdb.journal
                              WHERE document_key = ANY(%(keys)s) AND at > now() - make_interval(secs => %(seconds)s))""",
        {"keys": keys, "seconds": seconds},
    )[0][0]


def covered(tags: Mapping[str, str], order: Sequence[str], position: Mapping[str, int]) -> Iterator[str]:
    """Keys a run with these tags is over. order: all partitions; position: of each in it."""
    if PARTITION_NAME_TAG in tags:
        yield tags[PARTITION_NAME_TAG]
    first, last = (
        position.get(tags.get(ASSET_PARTITION_RANGE_START_TAG, "")),
        position.get(tags.get(ASSET_PARTITION_RANGE_END_TAG, "")),
    )
    if first is not None and last is not None:
        yield from order[first : last + 1]
