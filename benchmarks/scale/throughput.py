"""Pages read an hour with one worker and with two, each on a core of its own.

Belongs here: scans, whose reading is nearly all of the work, and the time they take. Does not: the cluster (`fleet`).
"""

from __future__ import annotations

import io
import textwrap
from contextlib import ExitStack
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from benchmarks.scale.fleet import fleet
from tvdb_pipeline_tests.prose import paragraphs

_SECONDS = 600.0
_PIXELS = (1240, 1754)
"""A page of A4 at 150 dots an inch."""


def measure(documents: int = 16) -> dict[str, Any]:
    """Seconds for the same scans with one worker and with two, and their ratio."""
    scans = [scan(number) for number in range(documents)]
    seconds = {workers: _seconds(scans, workers) for workers in (1, 2)}
    return {
        "scanned_pages": documents,
        "workers": [
            {"workers": workers, "seconds": round(taken, 1), "pages_an_hour": round(documents / taken * 3600)}
            for workers, taken in seconds.items()
        ],
        "times_faster": round(seconds[1] / seconds[2], 2),
    }


def _seconds(scans: list[bytes], workers: int) -> float:
    """From the first run's start to the last document's end: the cluster is up before, and its sensor has looked."""
    settings = {"TVDB_DOCUMENTS_PER_RUN": "4", "TVDB_CONCURRENT_RUNS": str(workers)}
    with fleet(settings) as cluster, cluster.serving(workers=0), ExitStack() as pinned:
        if not cluster.wait(cluster.head_listens, 180):
            raise RuntimeError("the head did not start")
        for number in range(workers):
            # One after the other: a core that starts everything at once is too slow for Ray's patience.
            pinned.enter_context(cluster.pinned_worker(number, core=number))
            if not cluster.wait(lambda joined=number + 1: cluster.nodes() == joined, 180, every=2.0):
                raise RuntimeError("a worker did not join")
        for number, content in enumerate(scans):
            cluster.upload(f"{number:02}.png", content)
        done = {"ready": len(scans)}
        if not cluster.wait(lambda: cluster.states() == done, _SECONDS):
            raise RuntimeError(f"documents ended as {cluster.states()}")
        first = "SELECT min(start_time) FROM dagster.runs WHERE start_time IS NOT NULL"
        last = "SELECT extract(epoch FROM max(updated_at)) FROM tvdb.documents"
        return float(cluster.ask(last)[0][0]) - float(cluster.ask(first)[0][0])


def scan(seed: int) -> bytes:
    """A page of prose as a picture, PNG; another seed gives other text."""
    page = Image.new("L", _PIXELS, 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    y = 80
    for paragraph in paragraphs(40, seed=30_000 + seed):
        for line in [*textwrap.wrap(paragraph, 95), ""]:
            draw.text((90, y), line, font=font, fill=0)
            y += 30
            if y > _PIXELS[1] - 90:
                buffer = io.BytesIO()
                page.save(buffer, "PNG")
                return buffer.getvalue()
    raise AssertionError("forty paragraphs are more than a page")
