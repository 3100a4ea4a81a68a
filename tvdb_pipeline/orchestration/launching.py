"""Launching runs from this process, for the command line: no daemon needed.

Belongs here: stale documents -> ranged runs, executed one after the other. Does not: deciding what is stale.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason

from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.documents import registry
from tvdb_pipeline.errors import INTERRUPTED, TvdbError
from tvdb_pipeline.ingest.batching import contiguous_ranges, expected_pages, run_size
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.orchestration.connections import hold_connections
from tvdb_pipeline.orchestration.jobs import JOB_NAME
from tvdb_pipeline.orchestration.observation import Observer
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME, add_partitions, range_tags

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_documents(
    instance: dg.DagsterInstance, shop: Workshop, stale: Collection[str], observer: Observer
) -> list[str]:
    """Materialize these documents, adding partitions Dagster lacks; the run ids.

    A document's failure raises nothing; TvdbError(`interrupted`) where a signal ended a run.
    """
    hold_connections(instance)
    add_partitions(instance, list(stale))
    order = instance.get_dynamic_partitions(PARTITIONS_NAME)
    # Owners of a job are a beta of Dagster's, which says so several times a run.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    job = build_defs(shop.settings, observer).resolve_job_def(JOB_NAME)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    run_ids: list[str] = []
    pages = expected_pages(shop, registry.load(shop.database, stale))
    for batch in contiguous_ranges(order, stale, run_size(shop), pages):
        result = job.execute_in_process(
            instance=instance, tags=range_tags(batch), run_config=_QUIET, raise_on_error=False
        )
        run_ids.append(result.run_id)
        if any(_was_interrupted(event) for event in result.all_events):
            # Dagster takes the signal for itself and returns as if nothing were amiss.
            raise TvdbError("interrupted", INTERRUPTED, retryable=True)
    return run_ids


def _was_interrupted(event: dg.DagsterEvent) -> bool:
    data = event.event_specific_data
    return isinstance(data, JobFailureData) and data.failure_reason == RunFailureReason.UNEXPECTED_TERMINATION
