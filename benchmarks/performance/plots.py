"""The plots of the report, from the records: SVG files with a white ground, axes named with their units.

Belongs here: what is drawn and how. Does not: tables, or measuring. Needs matplotlib, which only the `dev` group installs.

A plot whose figures are not in the records is not drawn; one of an earlier time is then removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from benchmarks.performance.targets import LATENCY, OURS, Records, at, number, rows_of, shown, systems

_OURS, _PEER, _SECOND = "#1b6ca8", "#9aa5b1", "#c8553d"
_SERIES = (_OURS, _SECOND, "#4f8a5b", "#8e6bb0", "#b8860b", "#5a5a5a", "#d48fb0", "#3fa7a0")
_STYLE: dict[RcKeyType, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # The same figures give the same file.
    "svg.hashsalt": "tvdb",
}
_LOG_FROM = 40
"""Bars that far apart, least to most, are drawn on a logarithmic axis: the short ones could not be told apart otherwise."""


@dataclass(frozen=True, slots=True)
class Plot:
    """name: of its file; record: where its figures are; title: what it shows; draw: None where the figures are not there."""

    name: str
    record: str
    title: str
    draw: Callable[[Any], Figure | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """One measured figure: its name, median, least and most; colour."""

    name: str
    median: float
    least: float
    most: float
    colour: str


def draw_all(records: Records, folder: Path) -> list[tuple[Plot, Path | None]]:
    """Draw every plot whose figures are there into `folder`/<name>.svg; None for those that are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[tuple[Plot, Path | None]] = []
    for plot in PLOTS:
        path = folder / f"{plot.name}.svg"
        with mpl.rc_context(_STYLE):
            figure = plot.draw(at(records.get(plot.record), "figures"))
            if figure is not None:
                figure.savefig(path, metadata={"Date": None})
        if figure is None:
            path.unlink(missing_ok=True)
        drawn.append((plot, path if figure is not None else None))
    return drawn


def _cold(figures: Any) -> Figure | None:
    found = [(latency, _bars(systems(figures, latency), "seconds")) for latency in (LATENCY, 0.0)]
    panels = [(f"{latency:g} s a request", bars) for latency, bars in found if bars]
    return _bar_panels(panels, "seconds from the first file to the last row") if panels else None


def _parsing(figures: Any) -> Figure | None:
    peers = at(figures, "peers") or {}
    entries = {OURS: {"speed": at(figures, OURS)}, "bare PDFium": {"speed": at(figures, "pdfium")}}
    entries |= {name: {"speed": at(entry, "pages_a_second")} for name, entry in peers.items()}
    bars = _bars(entries, "speed")
    return _bar_panels([("", bars)], "pages a second, one process") if bars else None


def _growth(figures: Any) -> Figure | None:
    points = _points(rows_of(figures), "documents", "seconds_a_document")
    if not points:
        return None
    figure, (axes,) = _panels(1)
    _line(axes, points, OURS, _OURS)
    axes.set(xscale="log", xlabel="documents (logarithmic)", ylabel="seconds a document", ylim=(0, None))
    return figure


def _search(figures: Any) -> Figure | None:
    rows = [row for row in rows_of(figures) if str(row.get("search", "")).startswith("vector")]
    if not _points(rows, "rows", "p95_ms"):
        return None
    figure, (time, recall) = _panels(2, height=4.4)
    for place, kind in enumerate(dict.fromkeys(_kind(row) for row in rows)):
        of_kind = [row for row in rows if _kind(row) == kind]
        for axes, key in ((time, "p95_ms"), (recall, "recall_at_10")):
            _line(axes, _points(of_kind, "rows", key), kind, _SERIES[place % len(_SERIES)])
    for axes in (time, recall):
        axes.set(xscale="log", xlabel="rows (logarithmic)")
    time.set(ylabel="p95 of a search, ms", ylim=(0, None))
    recall.set(ylabel="recall@10 against exact search", ylim=(min(0.9, recall.get_ylim()[0]), 1.005))
    # Above the plots: six and more names would cover the lines.
    figure.legend(*time.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def _kind(row: dict[str, Any]) -> str:
    return f"{row.get('vectors', '')}: {row.get('search', '')}"


def _soak(figures: Any) -> Figure | None:
    samples = rows_of(figures, "samples")
    keys = [key for key in dict.fromkeys(key for row in samples for key in row) if key.endswith("_mb")]
    if not any(_points(samples, "minute", key) for key in keys):
        return None
    figure, (axes,) = _panels(1)
    for key, colour in zip(keys, _SERIES, strict=False):
        points = _points(samples, "minute", key)
        axes.plot([x for x, _ in points], [bar.median for _, bar in points], color=colour, label=_words(key, "_mb"))
    axes.set(xlabel="minutes", ylabel="memory, MB", ylim=(0, None))
    axes.legend(frameon=False, loc="lower right")
    return figure


def _batch_size(figures: Any) -> Figure | None:
    rows = rows_of(figures)
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key.endswith("seconds")]
    if not any(_points(rows, "documents_per_run", key) for key in keys):
        return None
    figure, (axes,) = _panels(1)
    for key, colour in zip(keys, _SERIES, strict=False):
        _line(axes, _points(rows, "documents_per_run", key), _words(key, ""), colour)
    axes.set(xscale="log", xlabel="documents a run (logarithmic)", ylabel="seconds", ylim=(0, None))
    axes.legend(frameon=False)
    return figure


def _bars(entries: dict[str, Any], key: str) -> list[Bar]:
    """Of those that were measured, the least first."""
    found = [_bar(name, at(entry, key), _OURS if name == OURS else _PEER) for name, entry in entries.items()]
    return sorted((bar for bar in found if bar is not None), key=lambda bar: bar.median)


def _bar(name: str, value: Any, colour: str = _OURS) -> Bar | None:
    median = number(value)
    if median is None:
        return None
    least, most = (number(at(value, side)) for side in ("least", "most"))
    return Bar(name, median, median if least is None else least, median if most is None else most, colour)


def _points(rows: Sequence[dict[str, Any]], x: str, y: str) -> list[tuple[float, Bar]]:
    found = [(number(row.get(x)), _bar(y, row.get(y))) for row in rows]
    return sorted(
        ((at_x, bar) for at_x, bar in found if at_x is not None and bar is not None), key=lambda point: point[0]
    )


def _panels(count: int, height: float = 3.4) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(7.6, height), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)
    for one in axes[0]:
        one.grid(axis="y", color="#e3e6ea", linewidth=0.8)
        one.set_axisbelow(True)
    return figure, list(axes[0])


def _line(axes: Axes, points: Sequence[tuple[float, Bar]], label: str, colour: str) -> None:
    """Medians joined, with a line from least to most at each."""
    if points:
        y = [bar.median for _, bar in points]
        axes.errorbar([x for x, _ in points], y, yerr=_reach([bar for _, bar in points]), color=colour, label=label,
                      marker="o", markersize=4, capsize=3, linewidth=1.6)  # fmt: skip


def _bar_panels(panels: Sequence[tuple[str, Sequence[Bar]]], unit: str) -> Figure:
    figure = Figure(figsize=(7.6, 0.7 + sum(0.55 + 0.34 * len(bars) for _, bars in panels)), layout="constrained")
    heights = [1 + len(bars) for _, bars in panels]
    every = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    values = [bar.median for _, bars in panels for bar in bars]
    logarithmic = min(values) > 0 and max(values) / min(values) > _LOG_FROM
    for axes, (title, bars) in zip(every, panels, strict=True):
        drawn = axes.barh([bar.name for bar in bars], [bar.median for bar in bars], xerr=_reach(bars), capsize=3,
                          color=[bar.colour for bar in bars], error_kw={"linewidth": 1, "ecolor": "#333333"})  # fmt: skip
        axes.bar_label(drawn, [shown(bar.median) for bar in bars], padding=6)
        axes.invert_yaxis()
        axes.set_title(title)
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.12)
        if logarithmic:
            axes.set_xscale("log")
    every[-1].set_xlabel(f"{unit}{' (logarithmic)' if logarithmic else ''}; the line from least to most of the repeats")
    return figure


def _reach(bars: Sequence[Bar]) -> list[list[float]]:
    return [[bar.median - bar.least for bar in bars], [bar.most - bar.median for bar in bars]]


def _words(key: str, ending: str) -> str:
    return key.removesuffix(ending).replace("_", " ")


PLOTS: Sequence[Plot] = (
    Plot("cold", "bench", "Seconds of a cold run, by system", _cold),
    Plot("parsing", "parsing", "Pages a second, by parser", _parsing),
    Plot("batch-size", "batch-size", "Seconds by documents a run", _batch_size),
    Plot("growth", "growth", "Seconds a document by number of documents", _growth),
    Plot("search", "search-at-scale", "Time and recall of searches by number of rows", _search),
    Plot("soak", "soak", "Memory over time", _soak),
)
