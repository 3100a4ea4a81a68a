"""The sensors: one on the upload folder, one that lets go on what can go on by itself.

Belongs here: what they find -> registrations, removals and run requests. Does not: how files are compared with documents
(`ingest.watching`), or which documents can go on (`ingest.sweeping`). Both are imported by a tick, not before.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import PRIORITY_TAG

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.orchestration.jobs import ingest_documents
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME, documents, range_tags
from tvdb_pipeline.orchestration.resources import EmbeddingClientResource
from tvdb_pipeline.orchestration.shielding import shield
from tvdb_pipeline.orchestration.under_way import end_stranded, under_way
from tvdb_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from tvdb_pipeline.documents.registry import Document
    from tvdb_pipeline.ingest.looking import Look
    from tvdb_pipeline.ingest.workshop import Workshop


FRESH, BULK = 2, 1
"""Priorities of runs in the queue: a few uploads go before the many of a bulk, and both before a backfill, which has none (0)."""
_FRESH_RUNS = 4
"""A look that asks for more runs than this is a bulk."""
_ASKED_AGAIN_SECONDS = 120
"""A run that ended without having claimed anything (it could not be launched) is asked for again after so long."""


def build_upload_folder_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor, on by default, looking every TVDB_SENSOR_INTERVAL_SECONDS."""

    @dg.sensor(
        name="upload_folder_sensor",
        job=ingest_documents,
        minimum_interval_seconds=settings.sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Takes up new, changed and renamed files of TVDB_UPLOAD_DIR once two looks in a row see the same size and "
        "time, and lets go of removed ones, unless most of the folder vanished at once.",
        tags={"tvdb/watches": "uploads"},
    )
    @shield
    def upload_folder_sensor(
        context: dg.SensorEvaluationContext, embedding_client: EmbeddingClientResource
    ) -> dg.SensorResult | dg.SkipReason:
        from tvdb_pipeline.database.pools import open_database
        from tvdb_pipeline.ingest.watching import look, remove_gone
        from tvdb_pipeline.ingest.workshop import build_workshop

        now = load_settings()
        database = open_database(now)
        try:
            shop = build_workshop(now, database, embedding_client.create())
            seen = look(shop)
            order = list(context.instance.get_dynamic_partitions(PARTITIONS_NAME))
            busy = under_way(context.instance, order)
            gone = [key for key in seen.gone if key not in busy]
            remove_gone(shop, gone)
            batches = _batches(shop, seen, order, busy, gone)
        except TvdbError as error:
            return dg.SkipReason(f"{error.code}: {error.message}")
        finally:
            database.close()
        return _result(seen, order, gone, batches)

    return upload_folder_sensor


def build_recovery_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sweeper, on by default, at the same interval."""

    @dg.sensor(
        name="recovery_sensor",
        job=ingest_documents,
        minimum_interval_seconds=settings.sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Resumes documents that waited or whose run was killed; replaces provisional vectors within the budget. "
        "Ends runs whose process is gone; forgets what is kept of documents that were erased.",
        tags={"tvdb/watches": "documents"},
    )
    @shield
    def recovery_sensor(
        context: dg.SensorEvaluationContext, embedding_client: EmbeddingClientResource
    ) -> dg.SensorResult | dg.SkipReason:
        from tvdb_pipeline.database.pools import open_database
        from tvdb_pipeline.ingest.looking import Look
        from tvdb_pipeline.ingest.sweeping import due
        from tvdb_pipeline.ingest.workshop import build_workshop
        from tvdb_pipeline.orchestration.forgetting import forget_erased

        now = load_settings()
        database = open_database(now)
        try:
            shop = build_workshop(now, database, embedding_client.create())
            seen = Look(due(shop), [], [], 0)
            forget_erased(context.instance, database)
            order = list(context.instance.get_dynamic_partitions(PARTITIONS_NAME))
            end_stranded(context.instance, database, order, now.claim_lease_seconds)
            batches = _batches(shop, seen, order, under_way(context.instance, order), [])
        except TvdbError as error:
            return dg.SkipReason(f"{error.code}: {error.message}")
        finally:
            database.close()
        if not seen.stale:
            return dg.SkipReason("Nothing waits that could go on now.")
        return _result(seen, order, [], batches)

    return recovery_sensor


def _batches(
    shop: "Workshop", seen: "Look", order: list[str], busy: set[str], gone: list[str]
) -> list[list["Document"]]:
    """The documents that need a run and that no run is busy with, as they share runs."""
    from tvdb_pipeline.ingest.batching import contiguous_ranges, expected_pages, run_size

    waiting = {document.key: document for document in seen.stale if document.key not in busy}
    known, leaving = set(order), set(gone)
    remaining = [key for key in order if key not in leaving] + [key for key in waiting if key not in known]
    pages = expected_pages(shop, waiting.values())
    ranges = contiguous_ranges(remaining, waiting, run_size(shop), pages)
    return [[waiting[key] for key in batch] for batch in ranges]


def _result(
    seen: "Look", order: list[str], gone: list[str], batches: list[list["Document"]]
) -> dg.SensorResult | dg.SkipReason:
    known = set(order)
    new = [document.key for batch in batches for document in batch if document.key not in known]
    priority = FRESH if len(batches) <= _FRESH_RUNS else BULK
    requests = [run_request(batch, priority) for batch in batches]
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if new:
        changes.append(documents.build_add_request(new))
    if leaving := [key for key in gone if key in known]:
        changes.append(documents.build_delete_request(leaving))
    if not requests and not changes:
        return dg.SkipReason(
            f"Nothing to do; {seen.growing} files still growing, {len(seen.withheld)} removals withheld, "
            f"{seen.unlisted} folders that cannot be listed."
        )
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=changes)


def run_request(batch: "Sequence[Document]", priority: int) -> dg.RunRequest:
    """One ranged run. priority: of those in the queue, the one with the greatest goes first.

    A run key is honoured once and for ever. It holds the claim number, so that a retry is a new request, and the time in
    steps, so that a request whose run never came to claim anything is made again.
    """
    marks = [f"{document.key}:{document.fence}" for document in batch]
    return dg.RunRequest(
        run_key=hashlib.sha256(f"{int(time.time() // _ASKED_AGAIN_SECONDS)} {marks}".encode()).hexdigest(),
        tags={**range_tags([document.key for document in batch]), PRIORITY_TAG: str(priority)},
    )
