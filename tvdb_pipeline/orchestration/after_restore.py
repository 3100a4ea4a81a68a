"""Dagster's runs after a restore.

Belongs here: ending those the backup shows as under way: their processes are of another time. Does not: the rest of a restore.
"""

from __future__ import annotations

from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.orchestration.under_way import UNDER_WAY
from tvdb_pipeline.settings import Settings


def end_runs(settings: Settings, url: str) -> int:
    """Have Dagster mark them as failed; how many there were. Their documents go on in other runs."""
    import dagster as dg

    with open_instance(settings, url) as instance:
        runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        for run in runs:
            instance.report_run_failed(run, "A backup from before the end of this run was restored.")
    return len(runs)
