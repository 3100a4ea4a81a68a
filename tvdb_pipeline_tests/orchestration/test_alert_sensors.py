"""What Dagster's sensors raise alerts for, each once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.orchestration import alert_sensors
from tvdb_pipeline.orchestration.alert_sensors import FailedCheck, FailedRun, build_alert_sensors
from tvdb_pipeline.orchestration.assets import OUTCOME_TAG
from tvdb_pipeline.privacy.faults import Fault
from tvdb_pipeline.settings import Settings


class Ledger:
    """A desk that writes down what it is told."""

    def __init__(self) -> None:
        self.checks: list[FailedCheck] = []
        self.before: Callable[[], None] = lambda: None

    def look(self) -> str:
        return ""

    def runs_failed(self, runs: Sequence[FailedRun]) -> str:
        return ""

    def checks_failed(self, checks: Sequence[FailedCheck]) -> str:
        self.before()
        self.checks += checks
        return ""


def evaluate(instance: dg.DagsterInstance, key: str, *, passed: bool = False, at: float | None = None) -> None:
    """Store an evaluation as a run does."""
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
        job_name="ingest_documents",
        event_specific_data=dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("chunks"), check_name="sizes_within_limits", passed=passed, metadata={}, partition=key
        ),  # pyright: ignore[reportArgumentType]
    )
    instance.event_log_storage.store_event(
        EventLogEntry(
            error_info=None, level=20, user_message="", run_id="r1", timestamp=at or time.time() - 3600, step_key=None,
            job_name="ingest_documents", dagster_event=event,
        )
    )  # fmt: skip


@pytest.fixture
def sensors(environment: Settings) -> dict[str, dg.SensorDefinition]:
    return {sensor.name: sensor for sensor in build_defs(environment).sensors or []}  # pyright: ignore[reportAttributeAccessIssue]


def check_sensor(settings: Settings, desk: Ledger) -> dg.SensorDefinition:
    return next(s for s in build_alert_sensors(settings, lambda _: desk) if s.name == "check_alert_sensor")


def test_all_alert_sensors_run_by_default(sensors: dict[str, dg.SensorDefinition]) -> None:
    alerting = {"alert_sensor", "run_failure_alert_sensor", "check_alert_sensor"}
    assert alerting <= set(sensors)
    assert {sensors[name].default_status for name in alerting} == {dg.DefaultSensorStatus.RUNNING}


def test_no_evaluation_is_passed_over_also_when_new_ones_arrive_between_pages_and_ticks(
    environment: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_sensors, "PAGE", 3)
    monkeypatch.setattr(alert_sensors, "PAGES", 2)
    desk, written = Ledger(), 0

    def write(passed: bool = False) -> None:
        nonlocal written
        evaluate(instance, f"doc-{written}", passed=passed)
        written += not passed

    def arriving() -> None:
        if written < 40:
            write()
            write(passed=True)

    desk.before = arriving
    sensor, cursor = check_sensor(environment, desk), None
    for _ in range(17):
        write()
    for _ in range(40):
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        sensor(context)
        assert cursor is None or int(context.cursor or 0) >= int(cursor)
        cursor = context.cursor
    assert written == 40
    assert [check.key for check in desk.checks] == [f"doc-{number}" for number in range(written)]


def test_a_page_that_could_not_be_told_of_is_read_again(environment: Settings, instance: dg.DagsterInstance) -> None:
    desk = Ledger()
    evaluate(instance, "doc-1")

    def refuse() -> None:
        raise RuntimeError

    desk.before = refuse
    sensor = check_sensor(environment, desk)
    context = dg.build_sensor_context(instance=instance)
    with pytest.raises(Fault, match="RuntimeError at tvdb_pipeline"):
        sensor(context)
    assert context.cursor is None
    desk.before = lambda: None
    sensor(context)
    assert [check.key for check in desk.checks] == ["doc-1"]


def test_what_is_newest_is_looked_at_again_and_told_once(
    environment: Settings, instance: dg.DagsterInstance, sensors: dict[str, dg.SensorDefinition], database: Database
) -> None:
    """An event with a lower number may be committed after one with a higher."""
    evaluate(instance, "doc-settled")
    evaluate(instance, "doc-new", at=time.time())
    cursor = None
    for _ in range(3):
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        sensors["check_alert_sensor"](context)
        cursor = context.cursor
    assert cursor == "1"
    rows = database.fetch("SELECT subject FROM tvdb.alerts WHERE name = 'check_failed' ORDER BY subject")
    assert rows == [("doc-new",), ("doc-settled",)]


def failed_run(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.RunFailureSensorContext:
    @dg.op
    def fail() -> None:
        raise dg.Failure("with words of its own")

    @dg.job
    def ingest() -> None:
        fail()

    result = ingest.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    return dg.build_run_status_sensor_context(
        "run_failure_alert_sensor", result.get_run_failure_event(), instance, result.dagster_run
    ).for_run_failure()


@pytest.mark.parametrize(("tags", "told"), [({}, 1), ({OUTCOME_TAG: "deferred"}, 0)])
def test_a_failed_run_is_told_unless_its_documents_only_wait(
    environment: Settings,
    instance: dg.DagsterInstance,
    sensors: dict[str, dg.SensorDefinition],
    database: Database,
    tags: dict[str, str],
    told: int,
) -> None:
    context = failed_run(instance, tags)
    database.run("INSERT INTO tvdb.documents (key, path) VALUES ('doc-1', '1.pdf')")
    database.run(
        """UPDATE tvdb.documents SET state = 'rejected', error = '{"code": "corrupt"}', run_id = %s""",
        (context.dagster_run.run_id,),
    )
    sensors["run_failure_alert_sensor"](context)
    rows = database.fetch("SELECT summary FROM tvdb.alerts WHERE name = 'run_failed'")
    assert len(rows) == told
    assert all(row[0].endswith("of ingest failed: 1 rejected (corrupt).") for row in rows)


def test_the_rules_are_gone_through_by_each_tick_and_alerts_kept_where_nobody_is_told(
    environment: Settings, instance: dg.DagsterInstance, sensors: dict[str, dg.SensorDefinition], database: Database
) -> None:
    database.run("UPDATE tvdb.breaker SET state = 'open', code = 'quota', retry_at = now()")
    skipped = sensors["alert_sensor"](dg.build_sensor_context(instance=instance))
    assert isinstance(skipped, dg.SkipReason)
    assert "nobody to be told" in (skipped.skip_message or "")
    assert database.fetch("SELECT severity FROM tvdb.alerts WHERE name = 'breaker_open'") == [("critical",)]
