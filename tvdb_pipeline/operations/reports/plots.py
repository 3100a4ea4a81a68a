"""The plots: what each shows of which record. Needs matplotlib, which only the `dev` group installs.

Belongs here: choosing figures and naming axes with their units. Does not: forms (`plot_forms`), names and files (`pictures`).
Each function takes all records; None where the figures are not in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tvdb_pipeline.operations.reports import completion
from tvdb_pipeline.operations.reports.judging import judge
from tvdb_pipeline.operations.reports.palette import BAD, GOOD, SERIES
from tvdb_pipeline.operations.reports.performance_targets import LATENCY, OURS, systems
from tvdb_pipeline.operations.reports.plot_forms import Bar, bar, bar_panels, bars_of, line, panels, points
from tvdb_pipeline.operations.reports.records import Records, at, number, ratio, rows_of


def _of(record: str, draw: Callable[[Any], Figure | None]) -> Callable[[Records], Figure | None]:
    return lambda records: draw(at(records.get(record), "figures"))


def _cold(figures: Any) -> Figure | None:
    found = [(latency, bars_of(systems(figures, latency), "seconds", OURS)) for latency in (LATENCY, 0.0)]
    drawn = [(f"{latency:g} s a request", bars) for latency, bars in found if bars]
    return bar_panels(drawn, "seconds from the first file to the last row") if drawn else None


def _parsing(figures: Any) -> Figure | None:
    peers = at(figures, "peers") or {}
    entries = {OURS: {"speed": at(figures, OURS)}, "bare PDFium": {"speed": at(figures, "pdfium")}}
    entries |= {name: {"speed": at(entry, "pages_a_second")} for name, entry in peers.items()}
    bars = bars_of(entries, "speed", OURS)
    return bar_panels([("", bars)], "pages a second, one process") if bars else None


def _growth(figures: Any) -> Figure | None:
    along = points(rows_of(figures), "documents", "seconds_a_document")
    if not along:
        return None
    figure, (axes,) = panels(1)
    line(axes, along, OURS, SERIES[0])
    axes.set(xscale="log", xlabel="documents (logarithmic)", ylabel="seconds a document", ylim=(0, None))
    return figure


def _search(figures: Any) -> Figure | None:
    rows = [row for row in rows_of(figures) if str(row.get("search", "")).startswith("vector")]
    if not points(rows, "rows", "p95_ms"):
        return None
    figure, (time, recall) = panels(2, height=4.4)
    kinds = [f"{row.get('vectors', '')}: {row.get('search', '')}".replace("_", "-") for row in rows]
    for place, kind in enumerate(dict.fromkeys(kinds)):
        of_kind = [row for row, own in zip(rows, kinds, strict=True) if own == kind]
        for axes, key in ((time, "p95_ms"), (recall, "recall_at_10")):
            line(axes, points(of_kind, "rows", key), kind, SERIES[place % len(SERIES)])
    for axes in (time, recall):
        axes.set(xscale="log", xlabel="rows (logarithmic)")
    time.set(ylabel="p95 of a search, ms", ylim=(0, None))
    recall.set(ylabel="recall@10 against exact search", ylim=(min(0.9, recall.get_ylim()[0]), 1.005))
    # Above the plots: six and more names would cover the lines.
    figure.legend(*time.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def _soak(figures: Any) -> Figure | None:
    return _lines(rows_of(figures, "samples"), "minute", "_mb", "minutes", "memory, MB")


def _batch_size(figures: Any) -> Figure | None:
    return _lines(
        rows_of(figures), "documents_per_run", "seconds", "documents a run (logarithmic)", "seconds", marked=True
    )


def _lines(
    rows: list[dict[str, Any]], x: str, ending: str, along: str, up: str, *, marked: bool = False
) -> Figure | None:
    """One line for each key that ends so. marked: few points, far apart."""
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key.endswith(ending)]
    if not any(points(rows, x, key) for key in keys):
        return None
    figure, (axes,) = panels(1)
    for key, colour in zip(keys, SERIES, strict=False):
        found, words = points(rows, x, key), key.removesuffix("_mb").replace("_", " ")
        if marked:
            line(axes, found, words, colour)
        else:
            axes.plot([at_x for at_x, _ in found], [one.median for _, one in found], color=colour, label=words)
    axes.set(xlabel=along, ylabel=up, ylim=(0, None), **({"xscale": "log"} if marked else {}))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    return figure


def _kinds(figures: Any) -> Figure | None:
    entries = {str(row.get("kind")): {"each": row.get("seconds_a_document")} for row in rows_of(figures)}
    bars = bars_of(entries, "each")
    return bar_panels([("", bars)], "seconds a document: parsing, chunking, vectors, rows") if bars else None


def _reading(figures: Any) -> Figure | None:
    """Words found in per cent, a panel for each set of documents."""
    drawn: list[tuple[str, list[Bar]]] = []
    for name in at(figures, "sets") or {}:
        bars: list[Bar] = []
        for row in rows_of(figures["sets"], name):
            found = ratio(number(row.get("found")), number(row.get("words")))
            one = None if found is None else bar(str(row.get("kind") or row.get("documents")), 100 * found)
            bars += [one] if one else []
        drawn += [(name, bars)] if bars else []
    return bar_panels(drawn, "words found, %", linear=True) if drawn else None


def _answers(figures: Any) -> Figure | None:
    keys = {"document_in_1": "document first", "document_in_5": "document in the first five",
            "page_in_1": "page first", "page_in_5": "page in the first five"}  # fmt: skip
    found = [
        (words, [one for row in rows_of(figures) if (one := bar(str(row.get("mode")), row.get(key)))])
        for key, words in keys.items()
    ]
    drawn = [(words, bars) for words, bars in found if bars]
    return bar_panels(drawn, "share of the questions", linear=True) if drawn else None


def _counts(figures: Any, unit: str, *path: str) -> Figure | None:
    """A mapping of names to counts, the most first."""
    found = at(figures, *path)
    entries = {str(name): {"count": value} for name, value in found.items()} if isinstance(found, dict) else {}
    bars = [one for one in reversed(bars_of(entries, "count")) if one.median]
    return bar_panels([("", bars)], unit) if bars else None


def _storm(figures: Any) -> Figure | None:
    drawn: list[tuple[str, list[Bar]]] = []
    for phase, words in (("calm", "nothing killed"), ("kills", "processes killed")):
        sides = (("billed", "server_tokens", SERIES[1]), ("in the ledger", "ledger_tokens", SERIES[0]))
        bars = [one for name, key, colour in sides if (one := bar(name, at(figures, phase, key), colour))]
        drawn += [(words, bars)] if bars else []
    return bar_panels(drawn, "tokens", linear=True) if drawn else None


def _doctor(figures: Any) -> Figure | None:
    """Rows of each area, those that failed in their own colour."""
    rows = rows_of(figures)
    if not rows:
        return None
    areas = list(dict.fromkeys(str(row.get("area")) for row in rows))
    figure, (axes,) = panels(1, height=0.9 + 0.34 * len(areas))
    left = [0] * len(areas)
    for words, wanted, colour in (("passed", True, GOOD), ("failed", False, BAD)):
        counts = [sum(str(row.get("area")) == area and row.get("passed") is wanted for row in rows) for area in areas]
        axes.barh(areas, counts, left=left, color=colour, label=words, height=0.66)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    axes.invert_yaxis()
    axes.grid(False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="rows of the checklist")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def _goals(records: Records) -> Figure | None:
    """How much of each limit is used up."""
    used = [row for row in judge(completion.GOALS, records) if row.target.side == "less than"]
    bars = [
        Bar(row.target.name, share, share, share, BAD if share >= 100 else GOOD)
        for row in used
        if row.value is not None and (share := 100 * row.value / row.target.limit) >= 0
    ]
    return bar_panels([("", bars)], "per cent of what is allowed", whole=100, linear=True) if bars else None


DRAWN: Mapping[str, Callable[[Records], Figure | None]] = {
    "goals": _goals,
    "kinds": _of("examples", _kinds),
    "reading": _of("parsing-quality", _reading),
    "answers": _of("search-quality", _answers),
    "hostile": _of("hostile", lambda figures: _counts(figures, "files", "states")),
    "doctor": _of("doctor", _doctor),
    "cold": _of("bench", _cold),
    "parsing": _of("parsing", _parsing),
    "batch-size": _of("batch-size", _batch_size),
    "growth": _of("growth", _growth),
    "search": _of("search-at-scale", _search),
    "soak": _of("soak", _soak),
    "chaos": _of("chaos", lambda figures: _counts(figures, "kills", "kills")),
    "storm": _of("storm", _storm),
    "fuzz": _of("fuzz", lambda figures: _counts(figures, "files", "codes")),
}
"""By the names of `pictures.PICTURES`."""
