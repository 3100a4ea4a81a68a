"""What the pipeline is to reach in speed, size and thrift, and the service levels that follow from what it does reach.

Belongs here: the bounds as data, and where each finds its figure. Does not: judging (`judging`), or the rest of the report.

Rows of `search-at-scale` are told apart by `rows` and `search`, of which those by vector are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tvdb_pipeline.operations.reports.judging import Target
from tvdb_pipeline.operations.reports.records import at, number, ratio, rows_of

Reached = Callable[[Any], float | None]
OURS = "ours"
LATENCY = 0.59
_CROWD = 250_000


def figure(*path: str) -> Reached:
    """The number that stands under these keys."""
    return lambda figures: number(at(figures, *path))


def systems(figures: Any, latency: float) -> dict[str, dict[str, Any]]:
    """The systems of the bench at one latency, by name; empty where it was not measured."""
    found = at(figures, "latency_seconds")
    for key, entries in (found if isinstance(found, dict) else {}).items():
        if float(key) == latency:
            return {name: entry for name, entry in entries.items() if isinstance(entry, dict)}
    return {}


def _to_unstructured(figures: Any) -> float | None:
    peers = at(figures, "peers") or {}
    speeds = [at(entry, "pages_a_second") for name, entry in peers.items() if "unstructured" in name and "fast" in name]
    return ratio(number(at(figures, OURS)), number(speeds[0]) if speeds else None)


def _to_fastest_peer(figures: Any) -> float | None:
    entries = systems(figures, LATENCY)
    peers = [number(entry.get("seconds")) for name, entry in entries.items() if name != OURS]
    return ratio(
        min((seconds for seconds in peers if seconds is not None), default=None),
        number(at(entries.get(OURS), "seconds")),
    )


def _to_succeeded(their_seconds: float) -> Reached:
    def reached(figures: Any) -> float | None:
        rows = [row for row in rows_of(figures, "succeeded") if number(row.get("their_seconds")) == their_seconds]
        return ratio(their_seconds, number(rows[0].get("seconds"))) if rows else None

    return reached


def _an_hour(figures: Any) -> float | None:
    return ratio(number(at(figures, "documents_an_hour", OURS)), number(at(figures, "documents_an_hour", "theirs")))


def _of_row(key: str, count: int, name: str) -> Reached:
    """The figure of the row in which `key` is `count`."""

    def reached(figures: Any) -> float | None:
        return next((number(row.get(name)) for row in rows_of(figures) if row.get(key) == count), None)

    return reached


def _length(*path: str) -> Reached:
    """How many are listed there."""

    def reached(figures: Any) -> float | None:
        found = at(figures, *path)
        return float(len(found)) if isinstance(found, list) else None

    return reached


def _growth(figures: Any) -> float | None:
    many, few = (_of_row("documents", count, "seconds_a_document")(figures) for count in (10_000, 100))
    return ratio(many, few)


def _crowded(name: str) -> Reached:
    """Only where as many files were there as the target speaks of."""
    return lambda figures: (
        number(at(figures, "with_known_keys", name))
        if number(at(figures, "with_known_keys", "files")) == 10_000
        else None
    )


def _worst(name: str, worst: Callable[[Sequence[float]], float], start: str = "vector") -> Reached:
    """Over all searches of a kind among 250,000 rows, filtered or not."""

    def reached(figures: Any) -> float | None:
        rows = [
            row
            for row in rows_of(figures)
            if str(row.get("search", "")).startswith(start) and row.get("rows") == _CROWD
        ]
        known = [value for value in (number(row.get(name)) for row in rows) if value is not None]
        return worst(known) if known else None

    return reached


# fmt: off
TARGETS: Sequence[Target] = (
    Target("parsing", "pages a second on one core, to bare PDFium's", "at least", 0.4, "times", "parsing", figure("ratio"),
           "Reading words and lines out of PDFium is what takes the time; more cores read side by side."),
    Target("parsing, unstructured", "the same, to its strategy `fast`", "at least", 10, "times", "parsing", _to_unstructured),
    Target("cold run", "seconds of the fastest peer to ours, 0.59 s a request", "at least", 3, "times", "bench",
           _to_fastest_peer),
    Target("cold run, floor", "our seconds to the lower bound", "at most", 2, "times", "lower-bound", figure("ratio")),
    Target("100 KB", "4.25 s and $0.0021 in the system before; 4.25 s to ours", "at least", 5, "times", "sizes",
           _to_succeeded(4.25), "One request of the provider is much of it: nothing here makes that shorter."),
    Target("500 KB", "11.85 s and $0.009 there; 11.85 s to ours", "at least", 5, "times", "sizes", _to_succeeded(11.85)),
    Target("2 MB", "35.5 s and $0.035 there; 35.5 s to ours", "at least", 5, "times", "sizes", _to_succeeded(35.5),
           "Inserting into the vector index on one core bounds it."),
    Target("documents an hour", "ours to 417 there", "at least", 10, "times", "sizes", _an_hour,
           "More cores: parsing and the index take a core each."),
    Target("unchanged, runs", "runs when nothing changed", "at most", 0, "runs", "growth",
           _of_row("documents", 10_000, "unchanged_runs")),
    Target("unchanged, time", "over start-up, 10,000 documents", "at most", 2, "ms a document", "growth",
           _of_row("documents", 10_000, "unchanged_ms_a_document")),
    Target("edit", "texts sent for an edited paragraph", "at most", 2, "texts", "bench", figure("changes", OURS, "edit"),
           "A paragraph replaced by a much shorter one moves the cuts beside it; the share of edits that change two texts at "
           "most is asserted in `tvdb_pipeline_tests/chunking/test_stability.py`."),
    Target("copy", "texts sent for a copied file", "at most", 0, "texts", "bench", figure("changes", OURS, "copy")),
    Target("rename", "texts sent for a renamed file", "at most", 0, "texts", "bench", figure("changes", OURS, "rename")),
    Target("packing", "share filled of the emptiest request but the last", "at least", 0.95, "", "bench",
           figure("packing", "least_full_but_last")),
    Target("Dagster", "its own time in runs of 50, over the plain engine", "at most", 60, "ms a document", "batch-size",
           _of_row("documents_per_run", 50, "dagster_ms_a_document"), "Larger runs (`TVDB_DOCUMENTS_PER_RUN`) share more of it."),
    Target("growth", "seconds a document at 10,000 to those at 100", "at most", 1.25, "times", "growth", _growth),
    Target("sensor", "a tick, 10,000 files and 100,000 known keys", "at most", 2, "s", "growth",
           _crowded("upload_folder_sensor_tick_seconds")),
    Target("memory, long PDF", "peak, 1,000 pages", "at most", 1024, "MB", "growth", figure("thousand_pages", "peak_rss_mb")),
    Target("memory, many documents", "peak, 10,000 documents", "at most", 1024, "MB", "growth",
           _of_row("documents", 10_000, "peak_rss_mb")),
    Target("import", "`tvdb_pipeline.definitions` over `dagster`", "at most", 0.3, "s", "growth",
           figure("import_over_dagster_seconds"),
           "Look at what `python -X importtime` names; `test_architecture.py` keeps the heavy ones out."),
    Target("search", "by vector, p95 among 250,000 rows, filtered or not", "at most", 25, "ms", "search-at-scale",
           _worst("p95_ms", max),
           "Give PostgreSQL shared buffers for the whole table: reading vectors takes most of a filtered "
           "search."),
    Target("search, recall", "recall@10 there, the worst", "at least", 0.95, "", "search-at-scale",
           _worst("recall_at_10", min), "Keep more rows in view (`vectorstore/nearest.py`), at the price of time."),
    Target("two workers", "pages an hour of scans to those of one, each on a core", "at least", 1.5, "times", "scale",
           figure("throughput", "times_faster"),
           "Database, daemon and servers ran on the same two cores: with machines of their own they take none from the workers."),
    Target("killed worker", "promises broken when one of two workers is killed among 300 documents", "at most", 0, "promises",
           "scale", _length("lost_worker", "broken")),
    Target("many queued", "the longest tick while 10,000 documents are queued among 100,000", "at most", 10, "s", "scale",
           figure("partitions", "longest_tick_seconds")),
)
LEVELS: Sequence[Target] = (
    Target("a document's work", "seconds of parsing, buying and storing, 95th percentile", "at most", 120, "s", "load-test",
           figure("work_seconds", "p95"), "Give `TVDB_PARSE_WORKERS` more cores."),
    Target("uploaded to searchable", "the last of 50 documents dropped at once, 95th percentile, under a refusing provider and a "
           "short budget", "at most", 900, "s", "load-test", figure("until_ready_seconds", "p95"),
           "Raise the limit that defers them."),
    Target("throughput", "documents an hour under that load", "at least", 400, "an hour", "load-test",
           figure("documents_an_hour")),
    Target("found", "any search, p95 among 250,000 rows", "at most", 250, "ms", "search-at-scale", _worst("p95_ms", max, "")),
    Target("noticed", "a tick of the upload sensor, 100,000 known keys", "at most", 5, "s", "growth",
           figure("with_known_keys", "upload_folder_sensor_tick_seconds")),
    Target("UI", "its page of the asset, 100,000 known keys", "at most", 10, "s", "growth",
           figure("with_known_keys", "ui_page_seconds")),
    Target("memory of a daemon", "its growth over half an hour, as MB an hour", "at most", 10, "MB an hour", "soak",
           figure("own_mb_an_hour"), "Run `make soak` for longer and look where it grows."),
    Target("correct rows", "documents whose rows are not their chunks", "at most", 0, "documents", "load-test",
           figure("wrong_rows")),
    Target("money", "texts bought twice under load", "at most", 0, "texts", "load-test", figure("texts_bought_twice")),
)
"""Proposed for an installation like the machine that measured them; each is what an alert or a promise to users may rest on."""
# fmt: on
