"""Dagster's own tables, made by whoever may.

Belongs here: having Dagster make them. Does not: where they are (`home`), or who owns them (`database.roles`).
"""

from __future__ import annotations

from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.settings import Settings


def make_tables(settings: Settings, url: str) -> None:
    """Have each of Dagster's storages make the tables it lacks, as the role of `url`.

    They do so as they are opened: a server whose role may make nothing finds them there. Tables of a newer version of Dagster are
    for `dagster instance migrate`.
    """
    with open_instance(settings, url) as instance:
        _ = instance.run_storage, instance.event_log_storage, instance.schedule_storage
