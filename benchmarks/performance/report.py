"""Composes reports/performance.md from the records: `python -m benchmarks.performance.report`.

Belongs here: the order of the report, and the records as Markdown tables. Does not: measuring, targets or plots. Every figure is
from a record; a record that is not there is named with the command that makes it. What there is to say about the figures is
written by hand in prose/<section>.md beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.performance.plots import Plot, draw_all
from benchmarks.performance.targets import COMMANDS, NAMES, OURS, Records, at, judge, number, rows_of, shown
from benchmarks.recording import DATA, ROOT, load

REPORT = ROOT / "reports" / "performance.md"
PROSE = Path(__file__).with_name("prose")
_MOST_ROWS = 60
"""A longer list is a series for a plot, not a table."""
_UNITS = {"mb": "MB", "kb": "KB", "gb": "GB", "usd": "USD", "rss": "RSS"}
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, the record it shows (and the name of its prose), and how the figures become Markdown."""

    title: str
    record: str
    laid_out: Callable[[Any], Iterator[str]]


def compose(
    records: Records, plots: Sequence[tuple[Plot, Path | None]], report: Path = REPORT, prose: Path = PROSE
) -> str:
    """The report as Markdown. plots: from `draw_all`, linked relative to `report`, the file it will be written to."""
    parts = ["# Performance", *_prose(prose, "introduction"), "## Targets", *_targets(records)]
    parts += ["## Machine", *_machines(records), "## Method", _HOW_TO_READ, *_prose(prose, "method")]
    for section in SECTIONS:
        parts += [f"## {section.title}", *_section(section, records.get(section.record), prose)]
        parts += [_picture(plot, path, report, records) for plot, path in plots if plot.record == section.record]
    return "\n\n".join(parts) + "\n"


_HOW_TO_READ = (
    "A figure is a median; in brackets the least and the most of the repeats, and their number. Each section names the command "
    "that measures it again, and the commit it was measured on. The records are in `reports/data`."
)


def table(rows: Rows) -> str:
    """Rows as a Markdown table. Its columns are the keys, in the order they first come up; an absent value is an empty cell."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    numeric = [all(number(row.get(key)) is not None for row in rows if row.get(key) is not None) for key in columns]
    lines = [[_heading(key) for key in columns], ["---:" if is_number else "---" for is_number in numeric]]
    lines += [[_cell(row.get(key)) for key in columns] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def tables(figures: Any, level: int = 3) -> Iterator[str]:
    """Any figures as Markdown: what is single in one table, lists and mappings of mappings in one each, under their name."""
    if not isinstance(figures, dict):
        figures = {"rows": figures} if isinstance(figures, list) else {"figure": figures}
    single = [{"figure": _heading(key), "value": value} for key, value in figures.items() if _is_single(value)]
    if single:
        yield table(single)
    # What has no heading of its own must not stand below that of another.
    for key in sorted(figures, key="rows".__ne__):
        value = figures[key]
        if _is_single(value):
            continue
        if key != "rows":
            yield f"{'#' * level} {_heading(key).capitalize()}"
        if isinstance(value, list):
            yield _listed(value)
        elif _is_flat(value) or not all(isinstance(inner, dict) and _is_flat(inner) for inner in value.values()):
            yield from tables(value, level + 1)
        else:
            yield table([{"": _heading(name)} | inner for name, inner in value.items()])


def _listed(rows: Sequence[Any]) -> str:
    """A list as a table, but for what does not fit into cells."""
    if len(rows) > _MOST_ROWS:
        return f"{len(rows)} rows, in the record."
    named = [row if isinstance(row, dict) else {"value": row} for row in rows]
    deep = sorted({_heading(key) for row in named for key, value in row.items() if not _is_single(value)})
    shallow = table([{key: value for key, value in row.items() if _is_single(value)} for row in named])
    return f"{shallow}\n\nMore in the record: {', '.join(deep)}." if deep else shallow


def _bench(figures: Any) -> Iterator[str]:
    special = ("latency_seconds", "changes", "succeeded")
    rest = {key: value for key, value in figures.items() if key not in special}
    yield from tables({key: value for key, value in rest.items() if _is_single(value)})
    for latency, entries in (at(figures, "latency_seconds") or {}).items():
        yield f"### Cold runs, {latency} s a request"
        yield table(
            _against(entries, "seconds", "seconds to ours", lambda theirs, ours: theirs / ours, slowest_first=False)
        )
    if changes := at(figures, "changes"):
        yield "### Texts sent after a change"
        yield table([{"system": name} | changed for name, changed in changes.items()])
    if rows := rows_of(figures, "succeeded"):
        yield "### The system before"
        yield table([row | {"times faster": _divided(row, "their_seconds", "seconds")} for row in rows])
    yield from tables({key: value for key, value in rest.items() if not _is_single(value)})


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
        yield "### By file"
        yield table([row | {"elements": sum((row.get("elements") or {}).values())} for row in files])


def _growth(figures: Any) -> Iterator[str]:
    rows = rows_of(figures)
    first = rows[0] if rows else {}
    compared = [
        row | {"to the first": _divided(row, "seconds_a_document", "seconds_a_document", first)} for row in rows
    ]
    yield from tables(figures | {"rows": compared})


SECTIONS: Sequence[Section] = (
    Section("Against other systems", "bench", _bench),
    Section("Parsing", "parsing", _parsing),
    Section("Against the lower bound", "lower-bound", tables),
    Section("Sizes of runs and requests", "batch-size", tables),
    Section("Growth", "growth", _growth),
    Section("Search at scale", "search-at-scale", tables),
    Section("Under load", "load-test", tables),
    Section("Soak", "soak", tables),
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
        ratio = compare(value, ours) if ours else None
        rows.append((-value if slowest_first else value, {"system": name, key: entry[key], title: ratio} | figures))
    return [row for _, row in sorted(rows, key=lambda row: row[0])]


def _divided(row: Mapping[str, Any], whole: str, part: str, of: Mapping[str, Any] | None = None) -> float | None:
    numerator, denominator = number(row.get(whole)), number((row if of is None else of).get(part))
    return numerator / denominator if numerator is not None and denominator else None


def _section(section: Section, envelope: Mapping[str, Any] | None, prose: Path) -> Iterator[str]:
    if envelope is None:
        yield f"Not measured: `{COMMANDS[section.record]}`"
        return
    yield from _prose(prose, section.record)
    yield from section.laid_out(envelope["figures"])
    day = str(envelope["measured_at"])[:10]
    yield f"Measured by `{envelope['command']}` on commit `{envelope['commit']}`, {day}."


def _targets(records: Records) -> Iterator[str]:
    judged = judge(records)
    met = sum(row.verdict == "met" for row in judged)
    unmeasured = sum(row.reached == "not measured" for row in judged)
    yield f"{met} met, {len(judged) - met - unmeasured} missed, {unmeasured} not measured."
    yield table(
        [
            {"": row.name, "what": row.what, "target": row.target, "reached": row.reached, "verdict": row.verdict}
            for row in judged
        ]
    )


def _machines(records: Records) -> Iterator[str]:
    """Each machine once, with the records measured on it."""
    found: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    for name, envelope in records.items():
        if envelope is not None:
            found.setdefault(tuple(envelope["machine"].items()), []).append(name)
    if not found:
        yield "Not measured."
        return
    rows = [dict(machine) for machine in found]
    yield table([row | {"records": ", ".join(names)} for row, names in zip(rows, found.values(), strict=True)])


def _picture(plot: Plot, path: Path | None, report: Path, records: Records) -> str:
    if path is not None:
        return f"![{plot.title}]({path.relative_to(report.parent)})"
    command = at(records.get(plot.record), "command") or COMMANDS[plot.record]
    return f"Plot of {plot.title[0].lower()}{plot.title[1:]}: not measured (`{command}`)."


def _prose(folder: Path, name: str) -> Iterator[str]:
    path = folder / f"{name}.md"
    if path.exists():
        yield path.read_text().strip()


def _is_single(value: Any) -> bool:
    """Whether it fits into one cell."""
    if isinstance(value, dict):
        return number(value) is not None
    return not isinstance(value, list) or not any(isinstance(inner, dict | list) for inner in value)


def _is_flat(mapping: Mapping[str, Any]) -> bool:
    return all(map(_is_single, mapping.values()))


def _heading(key: str) -> str:
    return " ".join(_UNITS.get(word, word) for word in str(key).split("_"))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    median = number(value)
    if median is None:
        return str(value).replace("|", "\\|").replace("\n", " ")
    if not isinstance(value, dict) or value.get("repeats", 1) < 2:
        return shown(median)
    return f"{shown(median)} ({shown(value['least'])} to {shown(value['most'])}, {value['repeats']})"


def main() -> None:
    """Draw the plots and write the report."""
    records = {name: load(name, DATA) for name in NAMES}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(compose(records, draw_all(records, REPORT.parent / "plots")))
    print(REPORT)


if __name__ == "__main__":
    main()
