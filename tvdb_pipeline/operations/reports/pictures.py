"""The files of the plots: drawn anew where matplotlib is there, taken as they are where it is not.

Belongs here: names, titles and files. Does not: drawing (`plots`, opened late: the package runs without matplotlib).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tvdb_pipeline.operations.reports.composing import Picture
from tvdb_pipeline.operations.reports.records import Records


@dataclass(frozen=True, slots=True)
class Plot:
    """record: where its figures are, or `targets <report>` for a plot of the targets of a report; title: what it shows."""

    record: str
    title: str


FOLDER = "plots"
PLOTS: Mapping[str, Plot] = {
    "goals": Plot("targets completion", "How much of each limit is used"),
    "kinds": Plot("examples", "Seconds a document, by kind"),
    "reading": Plot("parsing-quality", "Words found, by set of documents and kind of page"),
    "answers": Plot("search-quality", "Share of questions answered, by search mode"),
    "hostile": Plot("hostile", "Ends of hostile files"),
    "doctor": Plot("doctor", "Rows of the checklist, by area"),
    "cold": Plot("bench", "Seconds of a cold run, by system"),
    "parsing": Plot("parsing", "Pages a second, by parser"),
    "batch-size": Plot("batch-size", "Seconds by documents a run"),
    "growth": Plot("growth", "Seconds a document by number of documents"),
    "search": Plot("search-at-scale", "Time and recall of searches by number of rows"),
    "soak": Plot("soak", "Memory over time"),
    "chaos": Plot("chaos", "Kills, by part"),
    "storm": Plot("storm", "Tokens billed and in the ledger"),
    "fuzz": Plot("fuzz", "Ends of mutated files"),
}


def draw_all(records: Records, reports: Path) -> list[Picture]:
    """Every plot as `reports`/plots/<name>.svg. One whose figures are not there has no link, and no file of an earlier time."""
    folder = reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import matplotlib as mpl

        from tvdb_pipeline.operations.reports.plot_forms import STYLE
        from tvdb_pipeline.operations.reports.plots import DRAWN
    except ImportError:
        return [_as_it_is(name, plot, records, folder) for name, plot in PLOTS.items()]
    pictures: list[Picture] = []
    for name, plot in PLOTS.items():
        path = folder / f"{name}.svg"
        with mpl.rc_context(STYLE):
            figure = DRAWN[name](records)
            if figure is not None:
                figure.savefig(path, metadata={"Date": None})
        if figure is None:
            path.unlink(missing_ok=True)
        pictures.append(Picture(plot.record, plot.title, f"{FOLDER}/{path.name}" if figure is not None else None))
    return pictures


def _as_it_is(name: str, plot: Plot, records: Records, folder: Path) -> Picture:
    """Without matplotlib: the file of an earlier time if there is one and its record still is."""
    measured = plot.record not in records or records[plot.record] is not None
    if not measured:
        return Picture(plot.record, plot.title, None)
    path = folder / f"{name}.svg"
    link = f"{FOLDER}/{path.name}" if path.exists() else None
    return Picture(plot.record, plot.title, link, "not drawn, as matplotlib is not installed")
