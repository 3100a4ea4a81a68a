from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_records import envelope, records

from tvdb_pipeline.operations.reports.composing import Picture, Report, compose
from tvdb_pipeline.operations.reports.records import COMMANDS, shown
from tvdb_pipeline.operations.reports.tables import table, tables
from tvdb_pipeline.operations.reports.writing import REPORTS

NOWHERE = Path("/nowhere")
NOTHING: dict[str, dict[str, Any] | None] = dict.fromkeys(COMMANDS)
DERIVED = (
    "%",
    "to ours",
    "to it",
    "times faster",
    "to the first",
    "elements",
    "index",
    "files",
    "passed",
    "failed",
    "skipped",
)
"""Words in the heading of a column whose figures are made of several."""
FIGURES = st.integers(2, 10**6) | st.floats(0.002, 900, allow_nan=False).map(lambda value: round(value, 4))
each_report = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)


def grids(text: str) -> Iterator[list[dict[str, str]]]:
    """Tables of Markdown, a mapping of heading to cell for each row."""
    for block in re.findall(r"(?:^\|.*\|\n?)+", text, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in block.strip().splitlines()]
        yield [dict(zip(rows[0], row, strict=False)) for row in rows[2:]]


def leaves(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def parts(report: Report, text: str) -> dict[str, str]:
    """The text of each section that shows a record, by its heading."""
    found = re.split(r"^### (.*)$", text.partition("## Recommendations")[0], flags=re.MULTILINE)
    by_title = dict(zip(found[1::2], found[2::2], strict=True))
    return {section.record: by_title[section.title] for section in report.sections}


@each_report
def test_a_report_without_records_says_of_each_that_it_was_not_measured_and_what_measures_it(report: Report) -> None:
    text = compose(report, NOTHING, [], NOWHERE)
    for record, part in parts(report, text).items():
        assert part.strip() == f"Not measured: `{COMMANDS[record]}`" or record == "live"
    for target in report.all_targets():
        assert f"| {target.name} |" in text
    verdicts = [row["verdict"] for rows in grids(text) for row in rows if "verdict" in row]
    assert set(verdicts) == {"not measured"}
    assert len(verdicts) == len(report.all_targets()) + (remaining() if "### What remains" in text else 0)


def remaining() -> int:
    return sum(len(report.all_targets()) for report in REPORTS[:-1])


@each_report
def test_a_report_has_method_results_and_recommendations(report: Report) -> None:
    text = compose(report, records(count(1).__next__), [], NOWHERE)
    assert text.startswith(f"# {report.title}\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Method",
        "## Results",
        "## Recommendations",
    ]
    assert text.partition("## Recommendations")[2].strip()


@each_report
def test_every_section_and_every_judged_figure_names_the_command_that_made_it(report: Report) -> None:
    text = compose(report, records(count(1).__next__), [], NOWHERE)
    for record, part in parts(report, text).items():
        assert f"Measured by `measure {record}` on commit `abc1234`, 2026-01-02." in part
    judged = [row for rows in grids(text) for row in rows if "verdict" in row and "wanted" in row]
    assert judged
    assert all(row["command"].startswith("`measure ") for row in judged)
    sources = next(rows for rows in grids(text) if "record" in rows[0])
    assert {row["record"] for row in sources} == set(report.record_names())


@settings(max_examples=20)
@given(seed=st.integers(0, 10**9))
@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_figures_in_the_tables_are_those_of_the_records(report: Report, seed: int) -> None:
    chance = Random(seed)
    known = records(lambda: chance.choice((chance.randint(2, 10**6), round(chance.uniform(0.002, 900), 4))))
    text = compose(report, known, [], NOWHERE)
    for record, part in parts(report, text).items():
        own = {shown(value) for value in leaves(known[record])}
        for rows in grids(part):
            cells = [
                (heading, cell)
                for row in rows
                for heading, cell in row.items()
                if cell and not any(word in heading for word in DERIVED)
            ]
            for heading, cell in cells:
                if re.fullmatch(r"[\d.,]+( \(.*\))?", cell):
                    assert cell.partition(" (")[0] in own, f"{record}: {heading}"


@given(st.dictionaries(st.from_regex(r"[a-z]{2,8}", fullmatch=True), FIGURES, min_size=1))
def test_a_table_of_figures_holds_each_of_them_and_no_other(figures: dict[str, float]) -> None:
    [text] = tables(figures)
    [rows] = grids(f"{text}\n")
    assert [row["value"] for row in rows] == [shown(value) for value in figures.values()]


def test_a_table_keeps_what_a_cell_must_not_break() -> None:
    assert table([{"name": "a|b", "seconds": 1.5}, {"name": "c"}]).splitlines()[2:] == ["| a\\|b | 1.50 |", "| c |  |"]


def test_a_missed_target_is_recommended_with_its_advice_and_an_unmeasured_one_with_its_command() -> None:
    [performance] = [report for report in REPORTS if report.name == "performance"]
    text = compose(performance, NOTHING | {"parsing": envelope("parsing", {"ratio": 0.3})}, [], NOWHERE)
    advice = text.partition("## Recommendations")[2]
    assert "- **parsing** is missed by 0.100 times (25.0% of the target). Reading words" in advice
    assert "- Run `make growth`: it measures unchanged, runs;" in advice


def test_a_plot_stands_below_its_record_or_says_why_there_is_none(tmp_path: Path) -> None:
    [performance] = [report for report in REPORTS if report.name == "performance"]
    known = NOTHING | {"soak": envelope("soak", {"rounds": 7})}
    pictures = [Picture("soak", "Memory", "plots/soak.svg"), Picture("soak", "Files", None, "not drawn")]
    text = compose(performance, known, pictures, tmp_path)
    assert "![Memory](plots/soak.svg)" in text
    assert "Plot of files: not drawn." in text


def test_whether_the_live_service_was_used_is_said() -> None:
    completion = REPORTS[-1]
    assert "**The live service was never used.**" in compose(completion, NOTHING, [], NOWHERE)
    used = compose(completion, NOTHING | {"live": envelope("live", {"requests": 3, "agrees": True})}, [], NOWHERE)
    assert "never used" not in used
    assert "| met | 3 requests |" in used
