"""What Dagster's side costs at a number of documents: sensor tick, instance queries, the pages of the UI.

Belongs here: measuring these on a finished home. Does not: filling it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.orchestration.partitions import PARTITIONS_NAME
from tvdb_pipeline.orchestration.resources import EmbeddingClientResource
from tvdb_pipeline.settings import load_settings

_HEALTH = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
    partitionStats { numMaterialized numFailed numPartitions } } } }"""
_PARTITIONS = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
    partitionKeysByDimension { name partitionKeys } assetPartitionStatuses { __typename
    ... on DefaultPartitionStatuses { materializedPartitions } } } } }"""
_RUNS = "query { runsOrError(limit: 25) { ... on Runs { results { id status startTime endTime } } } }"


def seconds(step: Callable[[], object], repeats: int = 3) -> float:
    """The median of a few timings."""
    taken: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        step()
        taken.append(time.perf_counter() - started)
    return round(sorted(taken)[repeats // 2], 4)


def know_more(url: str, keys: int) -> None:
    """Make the document table and Dagster know so many keys more, of files that are elsewhere."""
    names = [f"elsewhere-{number:016x}" for number in range(keys)]
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        with cursor.copy("COPY tvdb.documents (key, path, state) FROM STDIN") as copy:
            for name in names:
                copy.write_row((name, f"/elsewhere/{name}.pdf", "ready"))
        conn.execute("ANALYZE tvdb.documents")
    with open_instance(load_settings(), url) as instance:
        for first in range(0, keys, 10_000):
            instance.add_dynamic_partitions(PARTITIONS_NAME, names[first : first + 10_000])


def tick_seconds(url: str) -> dict[str, Any]:
    """A tick of each sensor: over files never looked at, over files that have settled since, and over nothing new."""
    settings = load_settings()
    definitions = build_defs(settings)
    resources = {"embedding_client": EmbeddingClientResource()}
    answers: dict[str, Any] = {}
    with open_instance(settings, url) as instance:
        for name in ("upload_folder_sensor", "recovery_sensor"):
            sensor = definitions.get_sensor_def(name)

            def tick(sensor: dg.SensorDefinition = sensor) -> None:
                sensor(dg.build_sensor_context(instance=instance, definitions=definitions, resources=resources))

            if name == "upload_folder_sensor":
                answers["first_tick_seconds"] = seconds(tick, 1)
                answers["settling_tick_seconds"] = seconds(tick, 1)
            answers[f"{name}_tick_seconds"] = seconds(tick)
    return answers


def query_seconds(url: str) -> dict[str, float]:
    """Queries of the instance that runs, sensors and the UI ask."""
    with open_instance(load_settings(), url) as instance:
        key = dg.AssetKey("vector_rows")
        return {
            "partitions_seconds": seconds(lambda: instance.get_dynamic_partitions(PARTITIONS_NAME)),
            "materialized_seconds": seconds(lambda: instance.get_materialized_partitions(key)),
            "runs_seconds": seconds(lambda: instance.get_runs(limit=25)),
            "latest_event_seconds": seconds(lambda: instance.get_latest_materialization_event(key)),
        }


def ui_seconds(url: str) -> dict[str, float | str]:
    """What the UI asks for its asset and run pages, and the asset page in headless Chromium where that is installed."""
    with webserver(url) as address:
        variables = {"key": {"path": ["vector_rows"]}}
        answers: dict[str, float | str] = {
            "ui_health_seconds": seconds(lambda: ask(address, _HEALTH, variables)),
            "ui_partitions_seconds": seconds(lambda: ask(address, _PARTITIONS, variables)),
            "ui_runs_seconds": seconds(lambda: ask(address, _RUNS, {})),
        }
        browser = next((path for path in ("/usr/bin/chromium", "/usr/bin/google-chrome") if Path(path).exists()), None)
        answers["ui_page_seconds"] = _page_seconds(browser, address) if browser else "no browser installed"
        return answers


def _page_seconds(browser: str, address: str) -> float:
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"]
    page = f"{address}/assets/vector_rows?view=partitions"
    # Ends when the page has been quiet for a moment; the same browser on an empty page is taken off.
    empty = seconds(lambda: subprocess.run([*command, "about:blank"], capture_output=True, check=False, timeout=120))
    full = seconds(
        lambda: subprocess.run(
            [*command, "--virtual-time-budget=10000", page], capture_output=True, check=False, timeout=300
        )
    )
    return round(full - empty, 3)


def ask(address: str, query: str, variables: dict[str, Any]) -> Any:
    """What the webserver answers to a query."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        found = json.load(answer)
    if "errors" in found:
        raise RuntimeError(f"the webserver refused the query: {found['errors'][0]['message']}")
    return found


@contextmanager
def webserver(url: str) -> Generator[str]:
    """`dagster-webserver` on a free port; its address. Ended afterwards."""
    settings = load_settings()
    open_instance(settings, url).dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("dagster-webserver")), "-m", "tvdb_pipeline.definitions"]
    command += ["-h", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the webserver did not start") from None
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
