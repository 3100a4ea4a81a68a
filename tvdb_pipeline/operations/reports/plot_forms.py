"""Forms a plot can have: bars with their reach, lines, and the panels they stand in. Needs matplotlib.

Belongs here: how figures are drawn. Does not: which figures (`plots`). Colours of ink, rules and ground are told apart by their
value, so that the page can put its own in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from tvdb_pipeline.operations.reports.palette import BAD, GROUND, INK, OURS, PEER, RULE
from tvdb_pipeline.operations.reports.records import at, number, shown

STYLE: dict[RcKeyType, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.facecolor": GROUND,
    "figure.facecolor": GROUND,
    "savefig.facecolor": GROUND,
    # Letters stay letters: smaller, and they can be searched for.
    "svg.fonttype": "none",
    # The same figures give the same file.
    "svg.hashsalt": "tvdb",
}
WIDTH = 7.6
"""Of a plot, in inches."""
_LOG_FROM = 40
"""Bars that far apart, least to most, are drawn on a logarithmic axis: the short ones could not be told apart otherwise."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One measured figure: its name, median, least and most; colour."""

    name: str
    median: float
    least: float
    most: float
    colour: str


def bars_of(entries: Mapping[str, Any], key: str, ours: str = "") -> list[Bar]:
    """Of those that were measured, the least first. entries: name -> mapping with the figure under `key`."""
    found = [bar(name, at(entry, key), OURS if name == ours or not ours else PEER) for name, entry in entries.items()]
    return sorted((one for one in found if one is not None), key=lambda one: one.median)


def bar(name: str, value: Any, colour: str = OURS) -> Bar | None:
    """A figure or spread as a bar; None for what is neither."""
    median = number(value)
    if median is None:
        return None
    least, most = (number(at(value, side)) for side in ("least", "most"))
    return Bar(name, median, median if least is None else least, median if most is None else most, colour)


def points(rows: Sequence[Mapping[str, Any]], x: str, y: str) -> list[tuple[float, Bar]]:
    """Rows that have both figures, by x."""
    found = [(number(row.get(x)), bar(y, row.get(y))) for row in rows]
    return sorted(
        ((at_x, one) for at_x, one in found if at_x is not None and one is not None), key=lambda point: point[0]
    )


def panels(count: int, height: float = 3.4) -> tuple[Figure, Sequence[Axes]]:
    """Empty axes side by side."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)
    for one in axes[0]:
        one.grid(axis="y", color=RULE, linewidth=0.8)
        one.set_axisbelow(True)
    return figure, list(axes[0])


def line(axes: Axes, along: Sequence[tuple[float, Bar]], label: str, colour: str) -> None:
    """Medians joined, with a line from least to most at each."""
    if along:
        y = [one.median for _, one in along]
        axes.errorbar([x for x, _ in along], y, yerr=_reach([one for _, one in along]), color=colour, label=label,
                      marker="o", markersize=4, capsize=3, linewidth=1.6)  # fmt: skip


def bar_panels(
    drawn: Sequence[tuple[str, Sequence[Bar]]], unit: str, *, whole: float | None = None, linear: bool = False
) -> Figure:
    """Horizontal bars, one panel below the other. whole: where a line says that all is reached; linear: whatever they are."""
    figure = Figure(figsize=(WIDTH, 0.7 + sum(0.55 + 0.34 * len(bars) for _, bars in drawn)), layout="constrained")
    heights = [1 + len(bars) for _, bars in drawn]
    every = figure.subplots(len(drawn), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    values = [one.median for _, bars in drawn for one in bars]
    logarithmic = not linear and min(values) > 0 and max(values) / min(values) > _LOG_FROM
    for axes, (title, bars) in zip(every, drawn, strict=True):
        repeated = any(one.least < one.most for one in bars)
        laid = axes.barh([one.name for one in bars], [one.median for one in bars], capsize=3, height=0.66,
                         color=[one.colour for one in bars], xerr=_reach(bars) if repeated else None,
                         error_kw={"linewidth": 1, "ecolor": INK})  # fmt: skip
        axes.bar_label(laid, [shown(one.median) for one in bars], padding=6)
        axes.invert_yaxis()
        axes.set_title(title)
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.14)
        if whole is not None:
            axes.axvline(whole, color=BAD, linewidth=1.2, linestyle=(0, (4, 3)))
        if logarithmic:
            axes.set_xscale("log")
    repeated = any(one.least < one.most for _, bars in drawn for one in bars)
    words = (
        unit,
        " (logarithmic)" if logarithmic else "",
        "; the line from least to most of the repeats" if repeated else "",
    )
    every[-1].set_xlabel("".join(words))
    return figure


def _reach(bars: Sequence[Bar]) -> list[list[float]]:
    return [[one.median - one.least for one in bars], [one.most - one.median for one in bars]]
