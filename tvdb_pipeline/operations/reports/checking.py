"""What an operator's own commands found out, kept as records: the checklist, and the last restore drill.

Belongs here: those two records. Does not: the questions (`operations.readiness`), drills, or the form of a record, which is the
benchmarks'.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from tvdb_pipeline.database.pools import database_url
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.readiness.checklist import findings
from tvdb_pipeline.operations.reports.records import COMMANDS
from tvdb_pipeline.settings import Settings


def check(settings: Settings, reports: Path) -> None:
    """Ask the whole checklist now and write `reports`/data/doctor.json; and drill.json, where a drill is noted."""
    keep = _recording(reports.parent).keep
    rows = [asdict(finding) for finding in findings(settings)]
    keep("doctor", COMMANDS["doctor"], {"environment": settings.env, "rows": rows}, reports / "data")
    drill = last_drill(settings)
    if drill is not None:
        keep("drill", COMMANDS["drill"], drill, reports / "data")


def last_drill(settings: Settings) -> dict[str, Any] | None:
    """The newest drill noted in `tvdb.safekeeping`: `drilled_at`, `passed` and its figures; None without one, or a database."""
    try:
        with psycopg.connect(database_url(settings), autocommit=True, connect_timeout=10) as conn:
            if conn.execute("SELECT to_regclass('tvdb.safekeeping')").fetchone() == (None,):
                return None
            row = conn.execute(
                "SELECT at, passed, figures FROM tvdb.safekeeping WHERE kind = 'drill' ORDER BY at DESC LIMIT 1"
            ).fetchone()
    except (TvdbError, psycopg.Error):
        return None
    return {"drilled_at": row[0].isoformat(timespec="seconds"), "passed": row[1], **(row[2] or {})} if row else None


def _recording(checkout: Path) -> Any:
    """`benchmarks.recording`, which stands in a checkout and is no part of the installed package."""
    if str(checkout) not in sys.path:
        sys.path.append(str(checkout))
    return importlib.import_module("benchmarks.recording")
