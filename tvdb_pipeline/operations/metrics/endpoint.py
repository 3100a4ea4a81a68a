"""The endpoint Prometheus asks, and the same text for a terminal.

Belongs here: the collector, the HTTP server around it, and what this machine adds. Does not: what the database says
(`snapshot`). A scrape always answers: without the database it says `tvdb_up 0` and leaves its figures out.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import psycopg
from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from tvdb_pipeline.database.pools import database_url
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.alerts import machine
from tvdb_pipeline.operations.metrics.exposition import gauge, metrics
from tvdb_pipeline.operations.metrics.snapshot import Reader
from tvdb_pipeline.settings import Settings


class Pipeline(Collector):
    """Reads the database at each scrape, one scrape after the other. up: whether the latest one reached it."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._reader, self._settings, self._lock = Reader(url, settings), settings, threading.Lock()
        self.up = False

    def collect(self) -> Iterator[Metric]:
        """All metrics; of the database none, or all of one snapshot."""
        started = time.monotonic()
        try:
            with self._lock:
                figures = self._reader.read()
        except psycopg.Error:
            figures = None
        self.up = figures is not None
        yield gauge("tvdb_up", "Whether the database answered this scrape.", float(self.up))
        yield gauge("tvdb_scrape_seconds", "How long the database took to answer it.", time.monotonic() - started)
        build = GaugeMetricFamily("tvdb_build_info", "1 for the version that answers.", labels=["version"])
        build.add_metric([version("tvdb_pipeline")], 1.0)
        yield build
        if figures is not None:
            yield from metrics(figures, self._settings)
        yield from _machine(self._settings)


def serve(
    settings: Settings, stop: threading.Event, *, port: int | None = None, tell: Callable[[int], None] = lambda _: None
) -> None:
    """Answer until `stop` is set. port: instead of TVDB_METRICS_PORT, 0 for a free one; tell: given the port once it is bound.

    Raises TvdbError (`port_taken`, and what starting the embedded database raises).
    """
    host, wanted = settings.metrics_host, settings.metrics_port if port is None else port
    registry = CollectorRegistry()
    try:
        server = make_server(host, wanted, make_wsgi_app(registry), _server_for(host), handler_class=_Silent)
    except OSError:
        raise TvdbError(
            "port_taken",
            f"The metrics endpoint cannot listen on {host}:{wanted}; set TVDB_METRICS_HOST or TVDB_METRICS_PORT.",
        ) from None
    with server:
        registry.register(Pipeline(database_url(settings), settings))
        thread = threading.Thread(target=server.serve_forever, name="tvdb-metrics", daemon=True)
        thread.start()
        tell(server.server_port)
        stop.wait()
        server.shutdown()
        thread.join()


def exposition(settings: Settings) -> tuple[str, bool]:
    """The text of one scrape, and whether the database answered it."""
    registry, pipeline = CollectorRegistry(), Pipeline(database_url(settings), settings)
    registry.register(pipeline)
    return generate_latest(registry).decode(), pipeline.up


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A line for each scrape would drown the rest."""


def _server_for(host: str) -> type[ThreadingWSGIServer]:
    class Server(ThreadingWSGIServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return Server


def _machine(settings: Settings) -> Iterator[Metric]:
    disk = machine.disks(settings).get("TVDB_HOME")
    if disk is not None:
        yield gauge("tvdb_disk_total_bytes", "Size of the disk TVDB_HOME lies on.", disk.limit)
        yield gauge("tvdb_disk_free_bytes", "Free on that disk.", disk.limit - disk.used)
    memory = machine.memory()
    if memory is not None:
        yield gauge("tvdb_memory_total_bytes", "Memory of the machine, or of its container.", memory.limit)
        yield gauge("tvdb_memory_available_bytes", "What of it is to be had.", memory.limit - memory.used)
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        yield gauge("tvdb_process_resident_bytes", "Memory of the endpoint itself.", pages * os.sysconf("SC_PAGE_SIZE"))
