"""`tvdb archive` as a function.

Belongs here: opening what is asked. Does not: what Dagster forgets (`orchestration.archiving`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tvdb_pipeline.database.pools import open_database
from tvdb_pipeline.settings import Settings

if TYPE_CHECKING:
    from tvdb_pipeline.orchestration.archiving import Archived


def archive(settings: Settings, days: float) -> Archived:
    """Have Dagster forget documents that have been ready, as they are, for so many days."""
    from tvdb_pipeline.orchestration.archiving import archive as forget
    from tvdb_pipeline.orchestration.home import open_instance

    database = open_database(settings)
    try:
        with open_instance(settings, database.url) as instance:
            return forget(instance, database, days)
    finally:
        database.close()
