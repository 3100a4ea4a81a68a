"""What Dagster's storage says of its daemons and sensors.

Belongs here: reading the instance for people and checks outside this package. Does not: judging what is read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus, SensorInstigatorData

from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class DaemonLife:
    """age_seconds: since its last heartbeat, None if there was none."""

    name: str
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class SensorLife:
    """on: not switched off by anybody; age_seconds: since it last looked, None if it never did."""

    name: str
    on: bool
    age_seconds: float | None


def daemons(instance: dg.DagsterInstance) -> list[DaemonLife]:
    """Every daemon this instance requires."""
    beats, now = instance.get_daemon_heartbeats(), time.time()
    return [
        DaemonLife(name, now - beats[name].timestamp if name in beats else None)
        for name in sorted(instance.get_required_daemon_types())
    ]


def sensors(instance: dg.DagsterInstance, settings: Settings) -> list[SensorLife]:
    """Every sensor of the definitions."""
    now = time.time()
    states = {state.instigator_name: state for state in instance.all_instigator_state()}
    found: list[SensorLife] = []
    for sensor in build_defs(settings).sensors or ():
        state = states.get(sensor.name)
        data = state.instigator_data if state is not None else None
        looked = data.last_tick_timestamp if isinstance(data, SensorInstigatorData) else None
        on = state is None or state.status != InstigatorStatus.STOPPED
        found.append(SensorLife(sensor.name, on, None if looked is None else now - looked))
    return found
