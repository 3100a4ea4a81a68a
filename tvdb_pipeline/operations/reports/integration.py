"""The report on integration: what works from an uploaded file to a passage that is found.

Belongs here: its targets and sections. Does not: how the figures came about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tvdb_pipeline.operations.reports.composing import Report, Section
from tvdb_pipeline.operations.reports.judging import Target
from tvdb_pipeline.operations.reports.measures import Reached, apart, count, failed_tests, figure, percent, searchable
from tvdb_pipeline.operations.reports.records import at, number, ratio, rows_of
from tvdb_pipeline.operations.reports.tables import is_single, table, tables


def _quality(of_set: str, kind: str, part: str, whole: str) -> Reached:
    """Per cent of a set of documents whose text is known, over its rows of one kind."""

    def reached(figures: Any) -> float | None:
        rows = [row for row in rows_of(at(figures, "sets"), of_set) if row.get("kind") == kind]
        found = sum(number(row.get(part)) or 0.0 for row in rows)
        return ratio(100 * found, sum(number(row.get(whole)) or 0.0 for row in rows))

    return reached


def _of_mode(mode: str, key: str) -> Reached:
    def reached(figures: Any) -> float | None:
        share = next((number(row.get(key)) for row in rows_of(figures) if row.get("mode") == mode), None)
        return None if share is None else 100 * share

    return reached


def _kinds_without(figures: Any) -> float | None:
    rows = rows_of(figures)
    return float(sum(not number(row.get("searchable")) for row in rows)) if rows else None


# fmt: off
TARGETS: Sequence[Target] = (
    Target("documents", "examples that are searchable in the end", "at least", 100, "%", "examples", searchable,
           "`tvdb status` names the reason of each that is not."),
    Target("kinds", "kinds of file of which none is searchable", "at most", 0, "kinds", "examples", _kinds_without),
    Target("stages", "examples that reached the last of the five assets", "at least", 100, "%", "examples",
           percent(("last_stage",), ("documents",))),
    Target("vectors", "chunks of the examples without a vector", "at most", 0, "chunks", "examples",
           apart(("chunks",), ("vectors",))),
    Target("text", "words found of pages with text", "at least", 99.5, "%", "parsing-quality",
           _quality("data/examples", "text", "found", "words")),
    Target("scans", "words found of scanned pages", "at least", 97, "%", "parsing-quality",
           _quality("data/examples", "scan", "found", "words")),
    Target("tables", "cells right in pages with text", "at least", 95, "%", "parsing-quality",
           _quality("data/examples", "text", "cells_right", "cells")),
    Target("search", "questions whose document is among the first five", "at least", 95, "%", "search-quality",
           _of_mode("fused", "document_in_5"),
           "Vectors of a real model know synonyms, the mock's do not: measure with `make live`."),
    Target("checks", "failed tests of runs, checks and backfills", "at most", 0, "tests", "suite",
           failed_tests("orchestration/test_runs", "backfill", "checks")),
    Target("sensor", "failed tests of both sensors", "at most", 0, "tests", "suite", failed_tests("sensor")),
    Target("command", "failed tests of the command line", "at most", 0, "tests", "suite", failed_tests("test_cli", "commands/")),
    Target("UI", "failed tests of the UI", "at most", 0, "tests", "suite", failed_tests("test_ui", "/ui/")),
    Target("uploads", "promises broken while uploads came, changed and went for half an hour", "at most", 0, "promises", "soak",
           count("broken")),
    Target("neighbours", "good documents among hostile ones that are ready", "at least", 100, "%", "hostile",
           percent(("good_ready",), ("good",))),
    Target("strangers", "promises broken by hostile files", "at most", 0, "promises", "hostile", count("broken")),
    Target("tests", "failed tests of the whole suite", "at most", 0, "tests", "suite", figure("failed")),
)
# fmt: on


def _examples(figures: Any) -> Iterator[str]:
    yield from tables({key: value for key, value in figures.items() if key != "rows"})
    yield "#### By kind"
    yield table(rows_of(figures))


def _parsing(figures: Any) -> Iterator[str]:
    yield from tables({key: value for key, value in figures.items() if is_single(value)})
    for name in at(figures, "sets") or {}:
        yield f"#### {name[:1].upper()}{name[1:]}"
        yield table([_shares(row) for row in rows_of(figures["sets"], name)])


def _shares(row: dict[str, Any]) -> dict[str, Any]:
    """Counts of a row as shares, in per cent, with what they are shares of."""
    parts = (
        ("routed right %", "routed", "pages"), ("words found %", "found", "words"), ("in order %", "in_order", "found"),
        ("CER %", "character_errors", "characters"), ("WER %", "word_errors", "words"),
        ("cells right %", "cells_right", "cells"),
    )  # fmt: skip
    figures = {
        title: None if (value := ratio(number(row.get(part)), number(row.get(whole)))) is None else 100 * value
        for title, part, whole in parts
    }
    return {key: row.get(key) for key in ("documents", "kind", "pages", "words", "cells")} | figures


def _hostile(figures: Any) -> Iterator[str]:
    yield from tables({key: value for key, value in figures.items() if key != "rows"})
    yield "#### By family"
    yield table(rows_of(figures))


def _suite(figures: Any) -> Iterator[str]:
    """By room: one row a file would be the length of the tree."""
    yield from tables({key: value for key, value in figures.items() if is_single(value)})
    rooms: dict[str, dict[str, Any]] = {}
    for row in rows_of(figures):
        name = str(row.get("file", "")).rpartition("/")[0].partition("/")[2] or "the package as a whole"
        room = rooms.setdefault(name, {"room": name, "files": 0, "passed": 0, "failed": 0, "skipped": 0})
        room["files"] += 1
        for key in ("passed", "failed", "skipped"):
            room[key] += row.get(key) or 0
    yield table(list(rooms.values()))


REPORT = Report(
    "pipeline-integration",
    "Pipeline integration",
    "What works end to end: kinds of document, the five stages and their checks, the sensors, backfills, the command and the UI.",
    {"What works": TARGETS},
    (
        Section("Documents by kind", "examples", _examples),
        Section("How well they are read", "parsing-quality", _parsing),
        Section("How often the answer is found", "search-quality", tables),
        Section("Files of strangers", "hostile", _hostile),
        Section("Tests by room", "suite", _suite),
    ),
    standing=(
        "Tables in scans askew or out of focus lose cells: where they matter, scan straight and at 200 dpi or more.",
        "Handwriting and scripts other than Latin are not read; such pages are named in the document's state.",
    ),
)
