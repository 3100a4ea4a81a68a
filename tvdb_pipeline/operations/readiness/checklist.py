"""The whole list, in order.

Belongs here: which questions are asked, and what becomes of one that fails as it is asked. Does not: the questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg

from tvdb_pipeline.database.pools import database_url
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.readiness import (
    alerting,
    limits,
    machine,
    provider,
    safekeeping,
    servers,
    state,
    versions,
)
from tvdb_pipeline.operations.readiness.finding import Finding
from tvdb_pipeline.settings import Settings

_KEPT_THERE = ("limits", "dagster", "safekeeping")


def findings(settings: Settings) -> list[Finding]:
    """All rows. A question that cannot be answered is not passed; raises nothing for what is unfit."""
    try:
        url = database_url(settings)
    except TvdbError as error:
        database = [Finding("database", "reachable", False, error.message)]
    else:
        database = _asked("database", lambda: state.rows(settings, url))
        if database[0].passed:
            kept = [
                *_asked("limits", lambda: limits.rows(settings, url)),
                *_asked("dagster", lambda: servers.rows(settings, url)),
                *_asked("safekeeping", lambda: safekeeping.rows(settings, url)),
            ]
            return [*database, *kept, *_without_database(settings)]
    away = [Finding(area, "answered", False, "the database is not reached") for area in _KEPT_THERE]
    return [*database, *away, *_without_database(settings)]


def _without_database(settings: Settings) -> list[Finding]:
    return [
        *_asked("provider", lambda: provider.rows(settings)),
        *_asked("parsing", lambda: machine.confinement(settings)),
        *_asked("machine", lambda: machine.rows(settings)),
        *_asked("versions", lambda: versions.rows()),
        *_asked("alerts", lambda: alerting.rows(settings)),
    ]


def _asked(area: str, ask: Callable[[], Iterable[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        # One by one: what was answered before a question failed stays.
        for finding in ask():
            found.append(finding)
    except TvdbError as error:
        found.append(Finding(area, "answered", False, error.message))
    except psycopg.Error as error:
        # The type only: a database's message may quote a value.
        found.append(Finding(area, "answered", False, f"the database refused the question ({type(error).__name__})"))
    except Exception as error:
        found.append(Finding(area, "answered", False, f"could not be asked ({type(error).__name__})"))
    return found
