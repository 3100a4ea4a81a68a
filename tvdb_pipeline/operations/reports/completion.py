"""The report on completion: the goals the whole was to reach, what remains, and whether the live service was ever used.

Belongs here: those goals, and the list of what the other reports leave open. Does not: figures of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tvdb_pipeline.operations.reports import integration, performance, production, resilience
from tvdb_pipeline.operations.reports.composing import Report, Section, judged_table
from tvdb_pipeline.operations.reports.judging import MET, Target, judge
from tvdb_pipeline.operations.reports.measures import failing, figure, most, percent, searchable
from tvdb_pipeline.operations.reports.records import COMMANDS, Records, at
from tvdb_pipeline.operations.reports.tables import tables

OTHERS = (integration.REPORT, production.REPORT, performance.REPORT, resilience.REPORT)
# fmt: off
GOALS: Sequence[Target] = (
    Target("end to end, examples", "good documents that are searchable", "at least", 100, "%", "examples", searchable),
    Target("end to end, load", "the same, several runs at once", "at least", 100, "%", "load-test", searchable),
    Target("end to end, neighbours", "the same, hostile files between them", "at least", 100, "%", "hostile",
           percent(("good_ready",), ("good",))),
    Target("time, examples", "the slowest of the examples", "less than", 300, "s", "examples", figure("slowest_seconds")),
    Target("time, 100 KB to 2 MB", "the slowest, cold, 0.59 s a request", "less than", 300, "s", "sizes",
           most("seconds", "succeeded")),
    Target("time, load", "work on a document, 95th percentile", "less than", 300, "s", "load-test",
           figure("work_seconds", "p95")),
    Target("cost, examples", "the dearest of the examples, at the price of text-embedding-3-small", "less than", 0.5, "USD",
           "examples", figure("dearest_usd")),
    Target("cost, 100 KB to 2 MB", "the dearest, by the ledger", "less than", 0.5, "USD", "sizes",
           most("usd", "succeeded")),
    Target("cost, collection", "a document among up to 10,000, by the ledger", "less than", 0.5, "USD", "growth",
           most("usd_a_document")),
    Target("failures, examples", "documents not searchable in the end", "less than", 1, "%", "examples", failing),
    Target("failures, load", "the same, several runs at once", "less than", 1, "%", "load-test", failing),
    Target("failures, soak", "the same, half an hour of uploads that come, change and go", "less than", 1, "%", "soak",
           failing),
    production.CHECKLIST,
    production.UNASKED,
    Target("live service", "requests to the provider whose usage the ledger states alike", "at least", 1, "requests", "live",
           lambda figures: _agreed(figures), "Ledger and provider disagree: compare them by `X-Client-Request-Id`."),
)
# fmt: on


def _agreed(figures: Any) -> float | None:
    """Requests answered by the live service, 0 where it states another usage than the ledger."""
    requests = at(figures, "requests")
    return None if requests is None else float(requests if at(figures, "agrees") is True else 0)


def _more(records: Records) -> Iterator[str]:
    yield "### What remains"
    remaining = [
        (report.title, row) for report in OTHERS for row in judge(report.all_targets(), records) if row.verdict != MET
    ]
    if remaining:
        yield judged_table([row for _, row in remaining], report=[title for title, _ in remaining])
    else:
        yield "Nothing: every target of the other reports is met."
    if records.get("live") is None:
        yield (
            "**The live service was never used.** Every figure of requests and dollars is of a server of our own that speaks "
            f"the same protocol and charges by the same price. `{COMMANDS['live']}` uses the service, for a cent at most."
        )


REPORT = Report(
    "completion",
    "Completion",
    "The goals of the whole: every good document end to end, within five minutes, under half a dollar, under one failure in a "
    "hundred, the whole checklist passed; and what remains.",
    {"Goals": GOALS},
    (Section("Live service", "live", tables),),
    more=_more,
)
