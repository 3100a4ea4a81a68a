"""Dagster's records after a restore.

Belongs here: ending the runs the backup shows as under way, as their processes are of another time, and forgetting the documents
that were erased since. Does not: the rest of a restore.
"""

from __future__ import annotations

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.orchestration.forgetting import forget_erased
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.orchestration.under_way import UNDER_WAY
from tvdb_pipeline.settings import Settings


def bring_up_to_date(settings: Settings, database: Database) -> int:
    """Have Dagster mark those runs as failed, and forget what was erased; how many runs. Their documents go on in others."""
    import dagster as dg

    with open_instance(settings, database.url) as instance:
        runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        for run in runs:
            instance.report_run_failed(run, "A backup from before the end of this run was restored.")
        forget_erased(instance, database)
    return len(runs)
