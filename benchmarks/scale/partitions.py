"""100,000 registered partitions and 10,000 queued documents: what people and sensors wait for.

Belongs here: these numbers of documents, and the seconds of each thing done among them. Does not: processing them.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from typing import Any

import psycopg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from benchmarks import grounds
from benchmarks.growth import dagster_costs
from benchmarks.scale.fleet import program
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.orchestration.archiving import archive
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME
from tvdb_pipeline.orchestration.under_way import under_way
from tvdb_pipeline.settings import load_settings

_BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


def measure(keys: int = 100_000, queued: int = 10_000) -> dict[str, Any]:
    """Seconds of each, in an installation that knows so many documents, of which so many have just been uploaded."""
    with grounds.home() as folder:
        before = dict(os.environ)
        try:
            os.environ.update(grounds.environment(folder, None))
            url = os.environ["TVDB_DATABASE_URL"]
            Database(url).open().close()
            open_instance(load_settings(), url).dispose()
            dagster_costs.know_more(url, keys - queued)
            uploads = folder / "uploads"
            for number in range(queued):
                file = uploads / f"{number // 1000:02}" / f"{number:05}.txt"
                file.parent.mkdir(exist_ok=True)
                file.write_text(f"Endorsement {number}: the deductible for hail is {number} dollars.\n")
            answers: dict[str, Any] = {"partitions": keys, "queued_documents": queued}
            answers |= _queue(url, queued)
            answers["status_seconds"] = dagster_costs.seconds(_command("status", "--json"))
            answers["status_of_one_seconds"] = dagster_costs.seconds(_command("status", "elsewhere-0000000000000007"))
            answers |= {f"tick_with_{queued}_queued": _tick(url)}
            answers |= _backfill(url)
            answers |= dagster_costs.query_seconds(url) | dagster_costs.ui_seconds(url) | _storage(url)
            return answers | _archive(url)
        finally:
            os.environ.clear()
            os.environ.update(before)


def beyond_advice() -> dict[str, Any]:
    """The same among a million, ten times what Dagster advises."""
    return measure(1_000_000)


def _queue(url: str, queued: int) -> dict[str, Any]:
    """Ticks until every upload is in a queued run, as the daemon would queue them."""
    import dagster as dg

    from tvdb_pipeline.definitions import build_defs
    from tvdb_pipeline.orchestration.resources import EmbeddingClientResource

    settings = load_settings()
    definitions = build_defs(settings)
    sensor = definitions.get_sensor_def("upload_folder_sensor")
    ticks: list[float] = []
    runs = covered = 0
    with open_instance(settings, url) as instance:
        while covered < queued and len(ticks) < 200:
            started = time.perf_counter()
            resources = {"embedding_client": EmbeddingClientResource()}
            result = sensor(
                dg.build_sensor_context(instance=instance, definitions=definitions, resources=resources)
            )
            ticks.append(time.perf_counter() - started)
            if isinstance(result, dg.SensorResult):
                for request in result.dynamic_partitions_requests or []:
                    instance.add_dynamic_partitions(PARTITIONS_NAME, list(request.partition_keys))
                order = list(instance.get_dynamic_partitions(PARTITIONS_NAME))
                place = {key: number for number, key in enumerate(order)}
                for request in result.run_requests or []:
                    instance.add_run(_queued_run(request.tags))
                    first, last = (
                        place[request.tags[tag]]
                        for tag in (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
                    )
                    covered += last - first + 1
                    runs += 1
        busy = under_way(instance, list(instance.get_dynamic_partitions(PARTITIONS_NAME)))
    return {
        "queued_runs": runs, "documents_in_queued_runs": len(busy), "ticks_to_queue": len(ticks),
        "longest_tick_seconds": round(max(ticks), 3), "seconds_to_queue": round(sum(ticks), 2),
    }  # fmt: skip


def _queued_run(tags: Mapping[str, str]) -> Any:
    import dagster as dg
    from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
    from dagster._core.storage.dagster_run import DagsterRunStatus
    from dagster._core.utils import make_new_run_id

    from tvdb_pipeline.orchestration.jobs import JOB_NAME

    location = RegisteredCodeLocationOrigin("tvdb_pipeline.definitions")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), JOB_NAME)
    return dg.DagsterRun(
        job_name=JOB_NAME, run_id=make_new_run_id(), status=DagsterRunStatus.QUEUED, tags=dict(tags),
        remote_job_origin=origin,
    )  # fmt: skip


def _tick(url: str) -> float:
    return dagster_costs.tick_seconds(url)["upload_folder_sensor_tick_seconds"]


def _backfill(url: str) -> dict[str, Any]:
    """A backfill over 1,000 of the partitions, launched as the UI does it."""
    with dagster_costs.webserver(url) as address, open_instance(load_settings(), url) as instance:
        names = [f"elsewhere-{number:016x}" for number in range(1000)]
        params = {
            "selector": None,
            "assetSelection": [
                {"path": [stage]} for stage in ("raw_file", "parsed_text", "chunks", "embeddings", "vector_rows")
            ],
            "partitionNames": names,
        }
        params.pop("selector")
        started = time.perf_counter()
        found = dagster_costs.ask(address, _BACKFILL, {"params": params})
        taken = time.perf_counter() - started
        kind = found["data"]["launchPartitionBackfill"]["__typename"]
        if kind != "LaunchBackfillSuccess":
            raise RuntimeError(f"the backfill was refused: {json.dumps(found)[:300]}")
        assert instance.get_backfills(limit=1)
        return {"backfill_of_1000_launched_seconds": round(taken, 3)}


def _archive(url: str) -> dict[str, Any]:
    """Forgetting all that are finished: they have no events here, so partitions alone."""
    database = Database(url).open()
    try:
        with open_instance(load_settings(), url) as instance:
            started = time.perf_counter()
            done = archive(instance, database, 0)
            return {"archived": done.documents, "archive_seconds": round(time.perf_counter() - started, 2)}
    finally:
        database.close()


def _command(*arguments: str) -> Any:
    return lambda: subprocess.run([program("tvdb"), *arguments], capture_output=True, check=False, timeout=300)


def _storage(url: str) -> dict[str, float]:
    """Bytes of the tables that grow with partitions, for each."""
    with psycopg.connect(url) as conn:
        row = conn.execute(
            """SELECT pg_total_relation_size('dagster.dynamic_partitions')::float / greatest(1,
                   (SELECT count(*) FROM dagster.dynamic_partitions)),
                      pg_total_relation_size('tvdb.documents')::float / greatest(1, (SELECT count(*) FROM tvdb.documents))"""
        ).fetchone()
    assert row is not None
    return {"bytes_a_partition": round(row[0]), "bytes_a_document_row": round(row[1])}
