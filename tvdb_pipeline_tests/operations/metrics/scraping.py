"""A running endpoint on a free port, scrapes of it over HTTP, and what they say."""

from __future__ import annotations

import queue
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from prometheus_client.parser import text_string_to_metric_families

from tvdb_pipeline.operations.metrics.endpoint import serve
from tvdb_pipeline.settings import Settings

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
Scrape = Callable[[], Series]
Endpoint = Callable[[Settings], AbstractContextManager[Scrape]]


def parsed(text: str) -> Series:
    """Every sample by its name and labels; none may come twice."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = (sample.name, frozenset(sample.labels.items()))
            assert name not in found
            found[name] = sample.value
    return found


def value(series: Series, name: str, **labels: str) -> float:
    return series[name, frozenset(labels.items())]


def by(series: Series, name: str, label: str) -> dict[str, float]:
    """The samples of a metric with one label, by its value."""
    return {dict(labels)[label]: number for (found, labels), number in series.items() if found == name}


def total(series: Series, name: str, **labels: str) -> float:
    """The sum over all samples that carry these labels."""
    return sum(
        number for (found, own), number in series.items() if found == name and labels.items() <= dict(own).items()
    )


@contextmanager
def endpoint(settings: Settings) -> Iterator[Scrape]:
    """While it is open, each call asks the endpoint once."""
    stop, ports, opener = (
        threading.Event(),
        queue.Queue[int](),
        urllib.request.build_opener(urllib.request.ProxyHandler({})),
    )
    thread = threading.Thread(target=serve, args=(settings, stop), kwargs={"port": 0, "tell": ports.put})
    thread.start()
    port = ports.get(timeout=60)

    def scrape() -> Series:
        with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            assert answer.status == 200
            return parsed(answer.read().decode())

    try:
        yield scrape
    finally:
        stop.set()
        thread.join()
