"""The sensors that raise alerts: failed runs, checks that did not pass, and the rules about everything else.

Belongs here: reading Dagster's events. Does not: what is told of them, to whom, and how often (`operations.alerts`, handed in as
a desk by `definitions`). None of them asks for a run; all are on by default, and keep alerts where nobody is to be told, too.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import dagster as dg

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.orchestration.assets import OUTCOME_TAG
from tvdb_pipeline.orchestration.shielding import shield
from tvdb_pipeline.settings import Settings, load_settings

PAGE, PAGES = 500, 10
"""Evaluations read at once, and pages of them read in one tick."""
SETTLED_SECONDS = 60.0
"""Events are numbered when they are written and seen when they are committed: one with a lower number may appear after one with a
higher. So the newest are looked at again until they are so old; each is told of once all the same."""


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that failed, and not because its documents only have to wait."""

    run_id: str
    job: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """An evaluation that did not pass. number: of the event; key: of the document; blocking: it went no further for that."""

    number: int
    asset: str
    check: str
    key: str
    blocking: bool
    at: datetime


class Desk(Protocol):
    """Where findings go. Each says in a sentence what came of it."""

    def look(self) -> str:
        """Go through the rules."""
        ...

    def runs_failed(self, runs: Sequence[FailedRun]) -> str:
        """Tell of these runs."""
        ...

    def checks_failed(self, checks: Sequence[FailedCheck]) -> str:
        """Tell of these evaluations, each once however often it is reported."""
        ...


def build_alert_sensors(settings: Settings, open_desk: Callable[[Settings], Desk]) -> list[dg.SensorDefinition]:
    """The three sensors, looking every TVDB_SENSOR_INTERVAL_SECONDS. open_desk: called by each tick."""
    interval = settings.sensor_interval_seconds
    running = dg.DefaultSensorStatus.RUNNING

    @dg.sensor(
        name="alert_sensor",
        minimum_interval_seconds=interval,
        default_status=running,
        description="Goes through the rules of docs/alerting.md: what is wrong is told, and when it is over.",
    )
    @shield
    def alert_sensor(_: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            return dg.SkipReason(open_desk(load_settings()).look())
        except TvdbError as error:
            return dg.SkipReason(f"{error.code}: {error.message}")

    # Runs begun by `tvdb ingest` belong to no code location, and this one is the only one of its instance.
    @dg.run_failure_sensor(
        name="run_failure_alert_sensor",
        minimum_interval_seconds=interval,
        default_status=running,
        monitor_all_code_locations=True,
        description="Tells of runs that failed, unless their documents only have to wait.",
    )
    @shield
    def run_failure_alert_sensor(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if run.tags.get(OUTCOME_TAG) != "deferred":
            failed = FailedRun(run.run_id, run.job_name, datetime.now(UTC))
            context.log.info(open_desk(load_settings()).runs_failed([failed]))

    @dg.sensor(
        name="check_alert_sensor",
        minimum_interval_seconds=interval,
        default_status=running,
        description="Tells of asset checks that did not pass, of each evaluation once.",
    )
    @shield
    def check_alert_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        desk = open_desk(load_settings())
        cursor, failed = _read(context.instance, int(context.cursor or 0), desk.checks_failed)
        context.update_cursor(str(cursor))
        return dg.SkipReason(f"{failed} evaluations read did not pass.")

    return [alert_sensor, run_failure_alert_sensor, check_alert_sensor]


def _read(
    instance: dg.DagsterInstance, cursor: int, tell: Callable[[Sequence[FailedCheck]], object]
) -> tuple[int, int]:
    """Read on from a cursor, page by page; the cursor for the next tick, and how many did not pass.

    The cursor goes over settled evaluations only, and over those of a page only after they were told of.
    """
    settled_before, settling = time.time() - SETTLED_SECONDS, False
    position, failed = cursor, 0
    for _ in range(PAGES):
        records = instance.event_log_storage.get_event_records(
            dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION, after_cursor=position),
            limit=PAGE,
            ascending=True,
        )
        found = [check for record in records if (check := _failed(record)) is not None]
        if found:
            tell(found)
            failed += len(found)
        for record in records:
            position = record.storage_id
            settling = settling or record.timestamp > settled_before
            if not settling:
                cursor = position
        if len(records) < PAGE:
            break
    return cursor, failed


def _failed(record: dg.EventLogRecord) -> FailedCheck | None:
    evaluation = record.event_log_entry.asset_check_evaluation
    if evaluation is None or evaluation.passed:
        return None
    return FailedCheck(
        record.storage_id,
        evaluation.asset_key.to_user_string(),
        evaluation.check_name,
        evaluation.partition or "",
        evaluation.blocking or False,
        datetime.fromtimestamp(record.timestamp, UTC),
    )
