from __future__ import annotations

import pytest

from benchmarks import recording
from benchmarks.performance.cold import judged
from benchmarks.suite import counted


def run(documents: int, seconds: float) -> dict[str, float]:
    return {"documents": documents, "rows": 10, "seconds": seconds, "start_up_seconds": 1.0, "peak_rss_mb": 100.0}


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


def test_a_report_of_the_suite_is_counted_by_file() -> None:
    report = """<testsuites><testsuite>
        <testcase classname="pkg.room.test_a" name="one" time="0.5"/>
        <testcase classname="pkg.room.test_a" name="two" time="0.25"><failure/></testcase>
        <testcase classname="pkg.room.test_b.TestMachine" name="three" time="1"><skipped/></testcase>
        <testcase classname="pkg.test_c" name="four" time="1"><error/></testcase>
    </testsuite></testsuites>"""
    found = counted(report)
    assert {end: found[end] for end in ("passed", "failed", "skipped")} == {"passed": 1, "failed": 2, "skipped": 1}
    assert [(row["file"], row["failed"], row["seconds"]) for row in found["rows"]] == [
        ("pkg/room/test_a.py", 1, 0.75),
        ("pkg/room/test_b.py", 0, 1.0),
        ("pkg/test_c.py", 1, 1.0),
    ]
