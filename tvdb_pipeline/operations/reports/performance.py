"""The report on performance: targets, proposed service levels, and each study's figures.

Belongs here: the order of its sections, and how the records of `make bench` and its like become tables. Does not: the targets
(`performance_targets`), or the plots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tvdb_pipeline.operations.reports.composing import Report, Section
from tvdb_pipeline.operations.reports.performance_targets import LEVELS, OURS, TARGETS
from tvdb_pipeline.operations.reports.records import at, number, ratio, rows_of
from tvdb_pipeline.operations.reports.tables import heading, is_single, table, tables


def _bench(figures: Any) -> Iterator[str]:
    special = ("latency_seconds", "changes")
    rest = {key: value for key, value in figures.items() if key not in special}
    yield from tables({key: value for key, value in rest.items() if is_single(value)})
    for latency, entries in (at(figures, "latency_seconds") or {}).items():
        yield f"#### Cold runs, {latency} s a request"
        yield table(
            _against(entries, "seconds", "seconds to ours", lambda theirs, ours: theirs / ours, slowest_first=False)
        )
    if changes := at(figures, "changes"):
        yield "#### Texts sent after a change"
        yield table([{"system": name} | changed for name, changed in changes.items()])
    yield from tables({key: value for key, value in rest.items() if not is_single(value)})


def _sizes(figures: Any) -> Iterator[str]:
    rows = rows_of(figures, "succeeded")
    yield table([row | {"times faster": _divided(row, "their_seconds", "seconds")} for row in rows])
    yield from tables({key: value for key, value in figures.items() if key != "succeeded"})


def _parsing(figures: Any) -> Iterator[str]:
    special = (OURS, "pdfium", "peers", "files")
    entries = {OURS: {"pages_a_second": figures.get(OURS)}, "bare PDFium": {"pages_a_second": figures.get("pdfium")}}
    entries |= at(figures, "peers") or {}
    entries = {name: entry for name, entry in entries.items() if len(entry) > 1 or any(entry.values())}
    yield table(
        _against(entries, "pages_a_second", "ours to it", lambda theirs, ours: ours / theirs, slowest_first=True)
    )
    yield from tables({key: value for key, value in figures.items() if key not in special})
    if files := rows_of(figures, "files"):
        yield "#### By file"
        yield table([row | {"elements": sum((row.get("elements") or {}).values())} for row in files])


def _growth(figures: Any) -> Iterator[str]:
    rows = rows_of(figures)
    first = rows[0] if rows else {}
    compared = [
        row | {"to the first": _divided(row, "seconds_a_document", "seconds_a_document", first)} for row in rows
    ]
    yield from tables(figures | {"rows": compared})


def _soak(figures: Any) -> Iterator[str]:
    yield from tables({key: value for key, value in figures.items() if key != "samples"})
    if samples := rows_of(figures, "samples"):
        yield f"{len(samples)} samples, in the record; the plot shows their memory."


def _search(figures: Any) -> Iterator[str]:
    """The searches; how each size was loaded and built is one table for each source of vectors."""
    yield from tables({key: value for key, value in figures.items() if is_single(value) or key == "rows"})
    for source in [key for key in figures if key != "rows" and not is_single(figures[key])]:
        yield f"#### Loading, {source.replace('_', '-')}"
        yield table(
            [
                {key: value for key, value in entry.items() if is_single(value)}
                | {f"index {key}": value for key, value in (at(entry, "index") or {}).items() if is_single(value)}
                for entry in rows_of(figures, source)
            ]
        )


def _scale(figures: Any) -> Iterator[str]:
    """A killed worker, two workers to one, many partitions; what a document leaves behind is a table of its own."""
    parts = {
        "lost_worker": "One of two workers killed",
        "throughput": "One worker and two",
        "partitions": "Many partitions",
        "ten_times_as_many": "Ten times as many",
    }
    for part, title in parts.items():
        found = at(figures, part) or {}
        if found:
            yield f"#### {title}"
            yield from tables({key: value for key, value in found.items() if key != "a_document"}, 5)
    if left := at(figures, "lost_worker", "a_document"):
        yield "#### What a document leaves in PostgreSQL"
        yield table([{"table": name} | counted for name, counted in left.items()])
    if sizes := rows_of(figures, "capacity"):
        yield "#### Capacity, of documents of ten pages"
        names = [name for name in sizes[0] if name != "documents"]
        yield table(
            [
                {"": heading(name)} | {f"{row.get('documents'):,} documents": row.get(name) for row in sizes}
                for name in names
            ]
        )


def _against(
    entries: Mapping[str, Any], key: str, title: str, compare: Callable[[float, float], float], *, slowest_first: bool
) -> list[dict[str, Any]]:
    """One row for each system, ours among them, in the order of `key`; the absent ones last, with their reason."""
    ours = number(at(entries, OURS, key))
    rows: list[tuple[float, dict[str, Any]]] = []
    for name, entry in entries.items():
        value = number(at(entry, key))
        if value is None:
            rows.append((float("inf"), {"system": name, key: f"not measured: {at(entry, 'absent') or 'no figure'}"}))
            continue
        figures = {inner: figure for inner, figure in entry.items() if inner != key}
        compared = compare(value, ours) if ours else None
        rows.append((-value if slowest_first else value, {"system": name, key: entry[key], title: compared} | figures))
    return [row for _, row in sorted(rows, key=lambda row: row[0])]


def _divided(row: Mapping[str, Any], whole: str, part: str, of: Mapping[str, Any] | None = None) -> float | None:
    return ratio(number(row.get(whole)), number((row if of is None else of).get(part)))


REPORT = Report(
    "performance",
    "Performance",
    "How fast, how large and how thrifty: against other systems on the same documents, against a lower bound, as collections "
    "grow, and under load.",
    {"Targets": TARGETS, "Proposed service levels": LEVELS},
    (
        Section("Against other systems", "bench", _bench),
        Section("Against the system before", "sizes", _sizes),
        Section("Parsing", "parsing", _parsing),
        Section("Against the lower bound", "lower-bound", tables),
        Section("Sizes of runs and requests", "batch-size", tables),
        Section("Growth", "growth", _growth),
        Section("Search at scale", "search-at-scale", _search),
        Section("Under load", "load-test", tables),
        Section("Soak", "soak", _soak),
        Section("Beyond one machine", "scale", _scale),
    ),
    standing=(
        "Measure on the machine that will serve before promising a service level to anybody: these are of the one named above.",
        "Set `TVDB_HOURLY_REQUEST_LIMIT` from the packing above: requests, not dollars, bind first.",
    ),
)
