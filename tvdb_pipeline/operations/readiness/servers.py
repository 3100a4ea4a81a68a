"""Dagster's servers: code server, webserver, daemon, sensors.

Belongs here: whether they answer, and how long ago they showed life. Does not: starting them (`tvdb serve`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.operations.serving.answers import code_server_serves, http_answers
from tvdb_pipeline.settings import Settings

MOST_HEARTBEAT_SECONDS = 120.0
"""Daemons tell of themselves every 30 seconds."""
_AREA = "dagster"


def rows(settings: Settings, url: str) -> Iterator[Finding]:
    """In development nothing need run; elsewhere everything."""
    if settings.env == "development":
        for name in ("code server", "webserver", "daemons", "sensors"):
            yield not_needed(_AREA, name, "development: tvdb ingest works without; tvdb dev and tvdb serve start them")
        return
    port = settings.code_server_port
    answers = code_server_serves(port)
    evidence = f"answers on port {port}" if answers else f"does not answer on port {port}: start tvdb serve"
    yield Finding(_AREA, "code server", answers, evidence)
    host, port = settings.webserver_host, settings.webserver_port
    answers = http_answers(host, port, "/server_info")
    evidence = f"answers on {host}:{port}" if answers else f"does not answer on {host}:{port}: start tvdb serve"
    yield Finding(_AREA, "webserver", answers, evidence)
    yield from _told_by_the_instance(settings, url)


def _told_by_the_instance(settings: Settings, url: str) -> Iterator[Finding]:
    from tvdb_pipeline.orchestration.home import open_instance
    from tvdb_pipeline.orchestration.inspection import daemons, sensors

    with open_instance(settings, url) as instance:
        found, looking = daemons(instance), sensors(instance, settings)
    late = [each for each in found if each.age_seconds is None or each.age_seconds > MOST_HEARTBEAT_SECONDS]
    if late:
        told = ", ".join(f"{each.name} {_ago(each.age_seconds)}" for each in late)
        yield Finding(
            _AREA, "daemons", False, f"no heartbeat in {MOST_HEARTBEAT_SECONDS:.0f} s: {told}; start tvdb serve"
        )
    else:
        oldest = max(each.age_seconds or 0.0 for each in found)
        yield Finding(_AREA, "daemons", True, f"{len(found)} required, the oldest heartbeat {oldest:.0f} s ago")
    most = max(MOST_HEARTBEAT_SECONDS, 10.0 * settings.sensor_interval_seconds)
    for each in looking:
        lively = each.age_seconds is not None and each.age_seconds <= most
        state = f"last looked {_ago(each.age_seconds)}" if each.on else "switched off: switch it on in the UI"
        yield Finding(_AREA, each.name, each.on and lively, state)


def _ago(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s ago"
