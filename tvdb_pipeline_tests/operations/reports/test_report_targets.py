from __future__ import annotations

import math
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_records import envelope, records

from tvdb_pipeline.operations.reports import completion
from tvdb_pipeline.operations.reports.judging import Side, Target, judge
from tvdb_pipeline.operations.reports.measures import drill_failed, failed_tests, failing, figure, passed, searchable
from tvdb_pipeline.operations.reports.records import COMMANDS
from tvdb_pipeline.operations.reports.writing import REPORTS

EVERY = [target for report in REPORTS for target in report.all_targets()]


def verdict(side: Side, limit: float, value: float | None) -> str:
    target = Target("a", "b", side, limit, "s", "soak", figure("value"))
    return judge([target], dict.fromkeys(COMMANDS) | {"soak": envelope("soak", {"value": value})})[0].verdict


@given(st.floats(0.01, 1e6))
def test_a_limit_is_judged_right_on_it_and_at_its_sides(limit: float) -> None:
    below, above = math.nextafter(limit, 0), math.nextafter(limit, math.inf)
    assert [verdict("at most", limit, value) for value in (below, limit, above)] == ["met", "met", "missed"]
    assert [verdict("less than", limit, value) for value in (below, limit, above)] == ["met", "missed", "missed"]
    assert [verdict("at least", limit, value) for value in (below, limit, above)] == ["missed", "met", "met"]
    assert verdict("at most", limit, None) == "not measured"


@pytest.mark.parametrize(
    ("name", "record", "figures", "expected"),
    [
        ("time, load", "load-test", {"work_seconds": {"p95": 300.0}}, "missed"),
        ("time, load", "load-test", {"work_seconds": {"p95": 299.99}}, "met"),
        ("cost, examples", "examples", {"dearest_usd": 0.5}, "missed"),
        ("cost, examples", "examples", {"dearest_usd": 0.499999}, "met"),
        ("failures, load", "load-test", {"states": {"ready": 99, "failed": 1}}, "missed"),
        ("failures, load", "load-test", {"states": {"ready": 100, "partial": 1, "failed": 1}}, "met"),
        ("end to end, load", "load-test", {"states": {"ready": 50, "partial": 1}}, "met"),
        ("end to end, load", "load-test", {"states": {"ready": 999, "deferred": 1}}, "missed"),
        ("checklist", "doctor", {"rows": [{"passed": True}, {"passed": False, "needed": True}]}, "missed"),
        ("checklist", "doctor", {"rows": [{"passed": True}, {"passed": True, "needed": False}]}, "met"),
        ("live service", "live", {"requests": 3, "agrees": False}, "missed"),
        ("live service", "live", {"requests": 1, "agrees": True}, "met"),
    ],
)
def test_the_goals_are_judged_at_their_limits(name: str, record: str, figures: Any, expected: str) -> None:
    [goal] = [goal for goal in completion.GOALS if goal.name == name]
    assert judge([goal], dict.fromkeys(COMMANDS) | {record: envelope(record, figures)})[0].verdict == expected


@pytest.mark.parametrize("target", EVERY, ids=lambda target: f"{target.record}: {target.name}")
def test_every_target_is_of_a_record_there_is_and_bears_one_that_lacks_its_figure(target: Target) -> None:
    assert target.record in COMMANDS
    for figures in (None, {}, {"rows": []}, {"broken": None, "states": {}, "rows": [{}]}):
        judged = judge([target], dict.fromkeys(COMMANDS) | {target.record: envelope(target.record, figures)})[0]
        assert judged.verdict in ("met", "missed", "not measured")
        assert judged.command == f"measure {target.record}"


def test_without_records_nothing_is_judged_and_with_all_of_them_most_is() -> None:
    assert {row.verdict for row in judge(EVERY, dict.fromkeys(COMMANDS))} == {"not measured"}
    judged = judge(EVERY, records(count(1).__next__))
    assert sum(row.verdict != "not measured" for row in judged) > len(EVERY) / 2


def test_a_run_in_which_the_breaker_never_opened_shows_nothing_of_it() -> None:
    figures = {"probes": 0, "together": 0, "recovery_seconds": -21.0, "longest_seconds": 2.4, "idle_processes": 16}
    [report] = [report for report in REPORTS if report.name == "resilience"]
    judged = judge(report.all_targets(), dict.fromkeys(COMMANDS) | {"probes": envelope("probes", figures)})
    verdicts = {row.target.name: row.verdict for row in judged if row.target.record == "probes"}
    assert verdicts == {"breaker": "not measured", "breaker, recovery": "not measured", "breaker, everyone": "missed"}


def test_documents_deleted_on_purpose_do_not_count() -> None:
    states = {"states": {"ready": 3, "deleted": 96, "failed": 1}}
    assert (searchable(states), failing(states)) == (75, 25)
    assert searchable({"states": {"deleted": 4}}) is None


def test_tests_that_failed_are_counted_of_the_files_asked_for() -> None:
    rows = {"rows": [{"file": "x/test_alerts.py", "failed": 2}, {"file": "x/test_runs.py", "failed": 1}]}
    assert failed_tests("alert")(rows) == 2
    assert failed_tests("backup")(rows) is None


def test_a_checklist_without_rows_and_a_drill_without_an_end_are_not_judged() -> None:
    assert passed({"rows": []}) is None
    assert drill_failed({}) is None
    assert (drill_failed({"passed": True}), drill_failed({"passed": False})) == (0, 1)
