from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import recording
from benchmarks.performance.cold import judged
from benchmarks.performance.report import compose, table
from benchmarks.performance.targets import NAMES, judge


def envelope(folder: Path, name: str, figures: Any) -> dict[str, Any]:
    recording.keep(name, f"make {name}", figures, folder)
    found = recording.load(name, folder)
    assert found is not None
    return found


def verdicts(records: dict[str, dict[str, Any] | None]) -> dict[str, tuple[str, str]]:
    return {row.name: (row.reached, row.verdict) for row in judge(records)}


def run(documents: int, seconds: float) -> dict[str, Any]:
    return {"documents": documents, "rows": 10, "seconds": seconds, "start_up_seconds": 1.0, "peak_rss_mb": 100.0}


def test_what_was_not_measured_says_which_command_does() -> None:
    rows = verdicts(dict.fromkeys(NAMES))
    assert rows["growth"] == ("not measured", "not measured: `make growth`")
    assert all(reached == "not measured" for reached, _ in rows.values())


def test_a_missed_target_says_by_how_much(tmp_path: Path) -> None:
    records: dict[str, dict[str, Any] | None] = dict.fromkeys(NAMES)
    records["parsing"] = envelope(tmp_path, "parsing", {"ratio": recording.spread([0.3, 0.31, 0.29])})
    records["lower-bound"] = envelope(tmp_path, "lower-bound", {"ratio": 1.5})
    rows = verdicts(records)
    assert rows["parsing"][1] == "missed by 0.100 times (25.0% of the target)"
    assert rows["cold run, floor"][1] == "met"


def test_the_report_holds_each_section_and_no_figure_that_was_not_measured(tmp_path: Path) -> None:
    records: dict[str, dict[str, Any] | None] = dict.fromkeys(NAMES)
    records["soak"] = envelope(tmp_path, "soak", {"rounds": 12345})
    text = compose(records, [], tmp_path / "performance.md", tmp_path)
    assert text.startswith("# Performance")
    assert "12,345" in text
    assert "Not measured: `make bench`" in text


def test_a_table_keeps_what_a_cell_must_not_break() -> None:
    assert table([{"name": "a|b", "seconds": 1.5}, {"name": "c"}]).splitlines()[2:] == ["| a\\|b | 1.50 |", "| c |  |"]


def test_runs_that_stored_different_numbers_of_documents_are_not_compared() -> None:
    assert "absent" not in judged([run(19, 10.0), run(19, 12.0)], 19)
    assert judged([run(18, 5.0)], 19)["absent"] == "not compared: it stored 18 of 19 documents"
    assert judged([run(19, 5.0), run(18, 5.0)], 19)["absent"] == "not compared: it stored 18 or 19 of 19 documents"
    assert judged([{"failed": "It ended with exit code 1."}], 19) == {"absent": "It ended with exit code 1."}


def test_repeats_come_as_median_least_and_most() -> None:
    assert judged([run(19, 10.0), run(19, 30.0), run(19, 11.0)], 19)["seconds"] == {
        "median": 11.0,
        "least": 10.0,
        "most": 30.0,
        "repeats": 3,
    }
    with pytest.raises(ValueError, match="nothing was measured"):
        recording.spread([])
