"""What the pipeline is to reach, and whether the records under reports/data say that it does.

Belongs here: the targets as data, where each finds its figure, and the judgement. Does not: measuring, or the rest of the report.

A figure is a number or a spread (see `recording.spread`), of which the median counts. Rows of `search-at-scale` are told apart by
`rows` and `search`, of which those by vector are judged. What is not there is not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Records = Mapping[str, dict[str, Any] | None]
"""Envelopes of `recording.keep` by name; None for what was not measured."""
OURS = "ours"
LATENCY = 0.59
NAMES = ("bench", "parsing", "lower-bound", "batch-size", "growth", "search-at-scale", "load-test", "soak")
COMMANDS = {
    "bench": "make bench",
    "parsing": "make bench",
    "lower-bound": "make bench",
    "batch-size": "make batch-study",
    "growth": "make growth",
    "search-at-scale": "make search-scale",
    "load-test": "make load-test",
    "soak": "make soak",
}
"""What makes each record, for those that are not there; those that are there name theirs."""


@dataclass(frozen=True, slots=True)
class Target:
    """One bound on one figure.

    wanted: `at least` or `at most`, the limit, its unit; record: its name; reached: its figures -> the value, None where it is
    not among them.
    """

    name: str
    what: str
    wanted: str
    record: str
    reached: Callable[[Any], float | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A row of the table of targets, as text."""

    name: str
    what: str
    target: str
    reached: str
    verdict: str


def number(value: Any) -> float | None:
    """A number as it is, the median of a spread, None for anything else."""
    if isinstance(value, dict):
        value = value.get("median")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def at(figures: Any, *path: str) -> Any:
    """What stands under these keys, one in the other; None where one is missing."""
    for key in path:
        figures = figures.get(key) if isinstance(figures, dict) else None
    return figures


def rows_of(figures: Any, key: str = "rows") -> list[dict[str, Any]]:
    """The list of mappings under `key`; empty where there is none."""
    found = at(figures, key)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def shown(value: float) -> str:
    """A number for a reader: three figures, or all of a whole number."""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - _magnitude(value))}f}"


def systems(figures: Any, latency: float) -> dict[str, dict[str, Any]]:
    """The systems of the bench at one latency, by name; empty where it was not measured."""
    found = at(figures, "latency_seconds")
    for key, entries in (found if isinstance(found, dict) else {}).items():
        if float(key) == latency:
            return {name: entry for name, entry in entries.items() if isinstance(entry, dict)}
    return {}


def judge(records: Records) -> list[Judged]:
    """Every target with what was reached, in the order of `TARGETS`."""
    return [_judged(target, records.get(target.record)) for target in TARGETS]


def _judged(target: Target, envelope: dict[str, Any] | None) -> Judged:
    value = target.reached(at(envelope, "figures"))
    if value is None:
        command = at(envelope, "command") or COMMANDS[target.record]
        return Judged(target.name, target.what, target.wanted, "not measured", f"not measured: `{command}`")
    _, side, number_text, *unit = target.wanted.split(" ", 3)
    limit = float(number_text)
    missing = limit - value if side == "least" else value - limit
    share = f" ({100 * missing / limit:.1f}% of the target)" if limit else ""
    verdict = "met" if missing <= 0 else " ".join(("missed by", shown(missing), *unit)) + share
    return Judged(target.name, target.what, target.wanted, " ".join((shown(value), *unit)), verdict)


def _magnitude(value: float) -> int:
    """The power of ten of the first figure."""
    return int(f"{value:e}".partition("e")[2])


def _ratio(whole: float | None, part: float | None) -> float | None:
    return whole / part if whole is not None and part else None


def _figure(*path: str) -> Callable[[Any], float | None]:
    return lambda figures: number(at(figures, *path))


def _to_unstructured(figures: Any) -> float | None:
    peers = at(figures, "peers") or {}
    speeds = [at(entry, "pages_a_second") for name, entry in peers.items() if "unstructured" in name and "fast" in name]
    return _ratio(number(at(figures, OURS)), number(speeds[0]) if speeds else None)


def _to_fastest_peer(figures: Any) -> float | None:
    entries = systems(figures, LATENCY)
    peers = [number(entry.get("seconds")) for name, entry in entries.items() if name != OURS]
    return _ratio(min((seconds for seconds in peers if seconds is not None), default=None), _seconds(entries.get(OURS)))


def _to_succeeded(their_seconds: float) -> Callable[[Any], float | None]:
    def reached(figures: Any) -> float | None:
        rows = [row for row in rows_of(figures, "succeeded") if number(row.get("their_seconds")) == their_seconds]
        return _ratio(their_seconds, _seconds(rows[0])) if rows else None

    return reached


def _seconds(entry: Any) -> float | None:
    return number(at(entry, "seconds"))


def _an_hour(figures: Any) -> float | None:
    return _ratio(number(at(figures, "documents_an_hour", OURS)), number(at(figures, "documents_an_hour", "theirs")))


def _of_row(key: str, count: int, figure: str) -> Callable[[Any], float | None]:
    """The figure of the row in which `key` is `count`."""

    def reached(figures: Any) -> float | None:
        return next((number(row.get(figure)) for row in rows_of(figures) if row.get(key) == count), None)

    return reached


def _growth(figures: Any) -> float | None:
    many, few = (_of_row("documents", count, "seconds_a_document")(figures) for count in (10_000, 100))
    return _ratio(many, few)


def _crowded_tick(figures: Any) -> float | None:
    """Only where as many files were there as the target speaks of."""
    if number(at(figures, "with_known_keys", "files")) != 10_000:
        return None
    return number(at(figures, "with_known_keys", "upload_folder_sensor_tick_seconds"))


def _worst(figure: str, worst: Callable[[Sequence[float]], float]) -> Callable[[Any], float | None]:
    """Over all searches among 250,000 rows, filtered or not."""

    def reached(figures: Any) -> float | None:
        vectors = [row for row in rows_of(figures) if str(row.get("search", "")).startswith("vector")]
        rows = [number(row.get(figure)) for row in vectors if row.get("rows") == 250_000]
        known = [value for value in rows if value is not None]
        return worst(known) if known else None

    return reached


# fmt: off
TARGETS: Sequence[Target] = (
    Target("parsing", "pages a second on one core, to bare PDFium's", "at least 0.4 times", "parsing", _figure("ratio")),
    Target("parsing, unstructured", "the same, to its strategy `fast`", "at least 10 times", "parsing", _to_unstructured),
    Target("cold run", "seconds of the fastest peer to ours, 0.59 s a request", "at least 3 times", "bench", _to_fastest_peer),
    Target("cold run, floor", "our seconds to the lower bound", "at most 2 times", "lower-bound", _figure("ratio")),
    Target("100 KB", "4.25 s and $0.0021 in the system before; 4.25 s to ours", "at least 5 times", "bench", _to_succeeded(4.25)),
    Target("500 KB", "11.85 s and $0.009 there; 11.85 s to ours", "at least 5 times", "bench", _to_succeeded(11.85)),
    Target("2 MB", "35.5 s and $0.035 there; 35.5 s to ours", "at least 5 times", "bench", _to_succeeded(35.5)),
    Target("documents an hour", "ours to 417 there", "at least 10 times", "bench", _an_hour),
    Target("unchanged, runs", "runs when nothing changed", "at most 0 runs", "growth",
           _of_row("documents", 10_000, "unchanged_runs")),
    Target("unchanged, time", "over start-up, 10,000 documents", "at most 2 ms a document", "growth",
           _of_row("documents", 10_000, "unchanged_ms_a_document")),
    Target("edit", "texts sent for an edited paragraph", "at most 2 texts", "bench", _figure("changes", OURS, "edit")),
    Target("copy", "texts sent for a copied file", "at most 0 texts", "bench", _figure("changes", OURS, "copy")),
    Target("rename", "texts sent for a renamed file", "at most 0 texts", "bench", _figure("changes", OURS, "rename")),
    Target("packing", "share filled of the emptiest request but the last", "at least 0.95", "bench",
           _figure("packing", "least_full_but_last")),
    Target("Dagster", "its own time in runs of 50, over the plain engine", "at most 60 ms a document", "batch-size",
           _of_row("documents_per_run", 50, "dagster_ms_a_document")),
    Target("growth", "seconds a document at 10,000 to those at 100", "at most 1.25 times", "growth", _growth),
    Target("sensor", "a tick, 10,000 files and 100,000 known keys", "at most 2 s", "growth",
           _crowded_tick),
    Target("memory, long PDF", "peak, 1,000 pages", "at most 1024 MB", "growth", _figure("thousand_pages", "peak_rss_mb")),
    Target("memory, many documents", "peak, 10,000 documents", "at most 1024 MB", "growth",
           _of_row("documents", 10_000, "peak_rss_mb")),
    Target("import", "`tvdb_pipeline.definitions` over `dagster`", "at most 0.3 s", "growth",
           _figure("import_over_dagster_seconds")),
    Target("search", "by vector, p95 among 250,000 rows, filtered or not", "at most 25 ms", "search-at-scale",
           _worst("p95_ms", max)),
    Target("search, recall", "recall@10 there, the worst", "at least 0.95", "search-at-scale",
           _worst("recall_at_10", min)),
)
# fmt: on
