"""`tvdb metrics`.

Belongs here: its arguments and signals. Does not: what is measured (`operations.metrics`).
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer


def metrics(
    once: Annotated[bool, typer.Option("--once", help="Print the text of one scrape and end.")] = False,
) -> None:
    """Answer Prometheus on TVDB_METRICS_HOST:TVDB_METRICS_PORT until SIGTERM or Ctrl-C."""
    from tvdb_pipeline.operations.metrics import endpoint
    from tvdb_pipeline.settings import load_settings

    settings = load_settings()
    if once:
        text, up = endpoint.exposition(settings)
        print(text, end="")
        raise typer.Exit(0 if up else 1)
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    endpoint.serve(settings, stop, tell=lambda port: _say(settings.metrics_host, port))


def _say(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    print(f"tvdb metrics: http://{shown}:{port}/metrics", file=sys.stderr, flush=True)
