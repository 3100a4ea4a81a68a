"""Backups and drills: how long ago the last good one was.

Belongs here: reading `tvdb.safekeeping`. Does not: making a backup, or judging one: only what was checked is noted as passed.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.settings import Settings

_AREA = "safekeeping"


def rows(settings: Settings, url: str) -> Iterator[Finding]:
    """The last backup and the last restore drill that passed."""
    wanted = (
        ("backup", settings.backup_max_age_hours, 3600.0, "hours", "tvdb backup"),
        ("drill", settings.drill_max_age_days, 86_400.0, "days", "tvdb drill"),
    )
    if settings.env == "development":
        for kind, *_ in wanted:
            yield not_needed(_AREA, kind, "development keeps nothing that cannot be made again")
        return
    ages = _ages(url)
    for kind, most, unit, units, command in wanted:
        if kind not in ages:
            yield Finding(_AREA, kind, False, f"none has passed yet: {command}")
            continue
        age = ages[kind] / unit
        evidence = f"the last that passed is {age:.1f} {units} old, at most {most:g} wanted"
        yield Finding(_AREA, kind, age <= most, evidence if age <= most else f"{evidence}: {command}")


def _ages(url: str) -> dict[str, float]:
    """Seconds since the last one that passed, of each kind, by the server's clock."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as conn:
        if conn.execute("SELECT to_regclass('tvdb.safekeeping')").fetchone() == (None,):
            return {}
        found = conn.execute(
            "SELECT kind, extract(epoch FROM now() - max(at))::float8 FROM tvdb.safekeeping WHERE passed GROUP BY kind"
        ).fetchall()
        return {str(kind): float(age) for kind, age in found}
