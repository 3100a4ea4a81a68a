"""Records of every kind with figures of a test's choosing.

Belongs here: the forms that the measuring commands write. Does not: any expectation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvdb_pipeline.operations.reports.records import COMMANDS


def envelope(name: str, figures: Any) -> dict[str, Any]:
    """As `benchmarks.recording.keep` writes it, by a command that nothing else is made by."""
    return {
        "name": name,
        "command": f"measure {name}",
        "measured_at": "2026-01-02T03:04:05+00:00",
        "commit": "abc1234",
        "machine": {"cpu": "one", "cores": 2, "memory_gb": 8.5, "system": "Linux", "python": "3.11"},
        "figures": figures,
    }


def figures(draw: Callable[[], float]) -> dict[str, Any]:
    """Figures of every record, each number another call of `draw`."""

    def many(*names: str) -> dict[str, Any]:
        return {name: draw() for name in names}

    def spread() -> dict[str, Any]:
        least, median, most = sorted(draw() for _ in range(3))
        return {"median": median, "least": least, "most": most, "repeats": 3}

    storm = ("attempts", "server_tokens", "ledger_tokens", "over_dollar_limit", "below_bill", "stuck")
    score = (
        "pages",
        "routed",
        "characters",
        "character_errors",
        "words",
        "word_errors",
        "found",
        "in_order",
        "cells",
        "cells_right",
    )
    return {
        "bench": {
            **many("documents", "pages"),
            "latency_seconds": {"0.59": {"ours": {"seconds": spread()}, "other": {"seconds": spread(), "rows": draw()}}},
            "changes": {"ours": many("edit", "copy", "rename"), "other": many("edit")},
            "packing": {"least_full_but_last": draw()},
        },
        "sizes": {
            "succeeded": [many("file_kb") | {"their_seconds": 4.25, "seconds": draw(), "usd": draw()}],
            "documents_an_hour": many("ours", "theirs"),
        },
        "parsing": {"ours": spread(), "pdfium": spread(), "ratio": draw(), "peers": {"kreuzberg": {"pages_a_second": draw()}},
                    "files": [many("file", "pages") | {"elements": {"Title": draw()}}]},
        "lower-bound": {"ratio": draw(), "parts": many("text_seconds")},
        "batch-size": {"rows": [{"documents_per_run": 50, **many("seconds", "dagster_ms_a_document")}]},
        "growth": {"rows": [{"documents": size, **many("seconds_a_document", "usd_a_document")} for size in (100, 10_000)],
                   "thousand_pages": many("peak_rss_mb")},
        "search-at-scale": {"rows": [{"vectors": "mock", "rows": 250_000, "search": "vector", **many("p95_ms", "recall_at_10")}],
                            "mock": [{"rows": 250_000, "index": many("mb"), "walks": [many("recall")]}]},
        "load-test": {"states": {"ready": draw()}, "work_seconds": many("p50", "p95"), "broken": []},
        "soak": {"states": {"ready": draw(), "deleted": draw()}, "own_mb_an_hour": draw(), "broken": [],
                 "samples": [many("minute", "own_mb"), many("minute", "own_mb")]},
        "scale": {"lost_worker": {**many("documents", "seconds"), "broken": [], "runs": {"SUCCESS": draw()},
                                  "a_document": {"tvdb.documents": many("rows", "bytes")}},
                  "throughput": {"workers": [many("workers", "seconds")], "times_faster": draw()},
                  "partitions": many("partitions", "longest_tick_seconds"),
                  "capacity": [{"documents": 10_000, **many("pages", "usd")}]},
        "parsing-quality": {"sets": {"data/examples": [{"documents": draw(), "kind": "text", **many(*score)}]}},
        "examples": {**many("documents", "last_stage", "chunks", "vectors", "slowest_seconds", "dearest_usd"),
                     "states": {"ready": draw()},
                     "rows": [{"kind": "pdf", **many("documents", "searchable", "seconds_a_document")}]},
        "search-quality": {"questions": draw(), "rows": [{"mode": "fused", **many("document_in_1", "document_in_5")}]},
        "suite": {**many("passed", "failed", "seconds"),
                  "rows": [{"file": "tvdb_pipeline_tests/orchestration/test_runs.py", **many("passed", "failed", "skipped")}]},
        "hostile": {**many("files", "good", "good_ready"), "broken": [], "states": {"rejected": draw()},
                    "rows": [{"family": "pdf", "state": "rejected", "code": "corrupt", "files": draw()}]},
        "fuzz": {**many("runs"), "untyped": [], "codes": {"corrupt": draw()}},
        "storm": {"processes": draw(), "calm": many(*storm), "kills": many(*storm), "broken": []},
        "crash-points": {"points": draw(), "broken": {}},
        "outage": many("documents", "searchable", "provisional_after", "mixed"),
        "probes": many("probes", "together", "idle_processes", "recovery_seconds", "longest_seconds"),
        "mutants": {**many("bugs", "caught"), "rows": [{"bug": "a", "caught_by": "b"}]},
        "chaos": {"kills": {"daemon": draw()}, **many("outages_told", "ends_told"), "broken": []},
        "drill": {"kind": "drill", "passed": True},
        "redaction": {**many("passages"), "rows": [{"kind": "SSN", **many("there", "recall", "replaced", "precision")}],
                      "seen_while_writing": [{"kind": "SSN", **many("there", "recall", "replaced", "precision")}],
                      "real": {**many("chunks", "chunks_a_second"), "replaced": many("PHONE")}},
        "doctor": {"environment": "production",
                   "rows": [{"area": "a", "name": "b", "passed": True, "evidence": "c", "needed": True}]},
        "live": {**many("requests", "usd"), "agrees": True},
    }  # fmt: skip


def records(draw: Callable[[], float]) -> dict[str, dict[str, Any] | None]:
    """All records."""
    made = figures(draw)
    assert made.keys() == COMMANDS.keys()
    return {name: envelope(name, made[name]) for name in COMMANDS}
