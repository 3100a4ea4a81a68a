"""Each rule: from when on it fires, what it says, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tvdb_pipeline.operations.alerts.alarms import WAYS_BACK
from tvdb_pipeline.operations.alerts.facts import (
    BreakerFacts,
    Budget,
    Documents,
    Ends,
    Facts,
    Failed,
    Level,
    Progress,
    Uploads,
    Waiting,
)
from tvdb_pipeline.operations.alerts.rules import RULES, judge
from tvdb_pipeline.operations.alerts.thresholds import Thresholds

THRESHOLDS = Thresholds(waiting_seconds=3600, window_seconds=900, error_share=0.5, grace_seconds=45)
GIB = 1 << 30
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WELL = Facts(
    "box",
    budget=Budget(Level(0, 5e9), Level(0, 100), least_nano=10_240),
    breaker=BreakerFacts("closed", None),
    documents=Documents(),
    progress=Progress(0, 10.0),
    uploads=Uploads(known=30),
    ends=Ends(10, 0, 0),
    heartbeats={"SENSOR": 10.0},
    connections=Level(10, 100),
    disks={"TVDB_HOME": Level(50 * GIB, 100 * GIB)},
    memory=Level(4 * GIB, 8 * GIB),
    silent={},
    deaths=[],
)


def fires(facts: Facts, *firing: tuple[str, str]) -> dict[tuple[str, str], str]:
    """(name, subject) -> severity of what is wrong."""
    return {(alarm.name, alarm.subject): alarm.severity for alarm in judge(facts, THRESHOLDS, firing).alarms}


def budget(dollars: float = 0, requests: float = 0, limit: float = 5e9) -> Facts:
    return replace(WELL, budget=Budget(Level(dollars, limit), Level(requests, 100), least_nano=10_240))


def test_nothing_fires_when_all_is_well_and_every_rule_says_so() -> None:
    verdict = judge(WELL, THRESHOLDS, [])
    assert verdict.alarms == []
    assert {name for name, _ in verdict.judged} == set(RULES)


def test_what_could_not_be_measured_is_not_judged() -> None:
    verdict = judge(Facts("box"), THRESHOLDS, [])
    assert verdict.judged == [("database_unreachable", "")]


def test_every_kind_of_alert_names_a_way_back() -> None:
    assert set(RULES) | {"run_failed", "check_failed"} == set(WAYS_BACK)


@pytest.mark.parametrize(
    ("share", "severity"), [(0.49, None), (0.5, "info"), (0.8, "warning"), (0.99, "warning"), (1.0, "critical")]
)
def test_the_budget_is_told_at_50_80_and_100_per_cent(share: float, severity: str | None) -> None:
    assert fires(budget(dollars=share * 5e9)) == ({("budget_day", ""): severity} if severity else {})
    assert fires(budget(requests=share * 100)) == ({("budget_hour", ""): severity} if severity else {})


def test_a_day_that_cannot_pay_one_more_passage_is_over() -> None:
    assert fires(budget(dollars=5e9 - 10_239)) == {("budget_day", ""): "critical"}


def test_a_limit_of_nothing_is_a_choice_and_no_alert() -> None:
    assert fires(budget(limit=0)) == {}


def test_a_figure_that_moves_about_its_level_goes_on_firing() -> None:
    assert fires(budget(requests=47), ("budget_hour", "")) == {("budget_hour", ""): "info"}
    assert fires(budget(requests=44), ("budget_hour", "")) == {}


@pytest.mark.parametrize("state", ["open", "half_open"])
def test_an_open_breaker_is_told_with_the_failure_that_opened_it(state: str) -> None:
    alarms = judge(replace(WELL, breaker=BreakerFacts(state, "quota")), THRESHOLDS, []).alarms
    assert [alarm.name for alarm in alarms] == ["breaker_open"]
    assert "quota" in alarms[0].summary


def test_documents_that_failed_for_good_are_told_by_key_and_the_many_by_number() -> None:
    failed = Documents([Failed("doc-1", "parse_timeout", 5)], failed_count=3)
    alarms = judge(replace(WELL, documents=failed), THRESHOLDS, []).alarms
    assert [alarm.subject for alarm in alarms] == ["doc-1", ""]
    assert "parse_timeout" in alarms[0].summary
    assert "2 more" in alarms[1].summary


def test_documents_that_wait_too_long_are_told_by_what_they_wait_for() -> None:
    waiting = Documents(waiting=[Waiting("day_limit", 7, "doc-2", NOON)])
    assert fires(replace(WELL, documents=waiting)) == {("documents_waiting", "day_limit"): "warning"}


@pytest.mark.parametrize(
    ("files", "due", "silent", "told"),
    [(1, 0, 3600, True), (0, 1, 3600, True), (1, 0, None, True), (0, 0, 9999, False), (1, 1, 3599, False)],
)
def test_a_stall_is_told_when_something_waits_and_nothing_happens(
    files: int, due: int, silent: float | None, told: bool
) -> None:
    facts = replace(WELL, uploads=Uploads(waiting=files), progress=Progress(due, silent))
    assert fires(facts) == ({("ingest_stalled", ""): "critical"} if told else {})


def test_a_folder_that_cannot_be_read_says_nothing_about_files() -> None:
    verdict = judge(replace(WELL, uploads=Uploads(error="unreadable_folder")), THRESHOLDS, [])
    assert [alarm.name for alarm in verdict.alarms] == ["uploads_unreadable"]
    assert not {"ingest_stalled", "removals_withheld"} & {name for name, _ in verdict.judged}


def test_withheld_removals_are_told() -> None:
    facts = replace(WELL, uploads=Uploads(known=30, withheld=20))
    assert fires(facts) == {("removals_withheld", ""): "warning"}


def test_a_daemon_is_silent_after_six_beats() -> None:
    assert fires(replace(WELL, heartbeats={"SENSOR": 10.0, "ASSET": 179.0})) == {}
    assert fires(replace(WELL, heartbeats={"SENSOR": 10.0, "ASSET": 181.0})) == {("daemon_silent", ""): "critical"}
    assert fires(replace(WELL, heartbeats={"daemon": float("inf")})) == {("daemon_silent", ""): "critical"}
    assert fires(replace(WELL, heartbeats={})) == {}


def test_a_part_may_be_silent_for_its_grace() -> None:
    assert fires(replace(WELL, silent={"webserver": 44.0})) == {}
    assert fires(replace(WELL, silent={"webserver": 45.0})) == {("part_silent", "box:webserver"): "critical"}


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (Ends(5, 3, 0), {("errors_many", "failed"): "critical"}),
        (Ends(5, 0, 3), {("errors_many", "rejected"): "warning"}),
        (Ends(5, 2, 0), {}),
        (Ends(4, 4, 0), {}),
        (Ends(0, 0, 0), {}),
    ],
)
def test_failures_are_told_by_their_share_of_enough_ends(ends: Ends, told: dict[tuple[str, str], str]) -> None:
    assert fires(replace(WELL, ends=ends)) == told


def test_disks_memory_and_connections_are_told_near_their_limits() -> None:
    disk = replace(WELL, disks={"TVDB_HOME": Level(97 * GIB, 100 * GIB)})
    assert fires(disk) == {("disk_short", "box:TVDB_HOME"): "warning"}
    assert fires(replace(WELL, disks={"TVDB_HOME": Level(99.5 * GIB, 100 * GIB)})) == {
        ("disk_short", "box:TVDB_HOME"): "critical"
    }
    assert fires(replace(WELL, memory=Level(94, 100))) == {("memory_short", "box:"): "warning"}
    assert fires(replace(WELL, connections=Level(96, 100))) == {("connections_short", ""): "critical"}


def test_an_unreachable_database_is_told() -> None:
    assert fires(Facts("box", "OperationalError")) == {("database_unreachable", ""): "critical"}
