"""What Dagster loads: `defs`, built once from the settings.

Belongs here: putting the definitions together. Does not: any of them. Importing this module touches neither network nor
database and imports no heavy library.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from tvdb_pipeline.operations.alerts.desk import Desk
from tvdb_pipeline.orchestration.alert_sensors import build_alert_sensors
from tvdb_pipeline.orchestration.assets import build_assets
from tvdb_pipeline.orchestration.jobs import ingest_documents
from tvdb_pipeline.orchestration.observation import Observer, nobody
from tvdb_pipeline.orchestration.resources import ArtifactsResource, DatabaseResource, EmbeddingClientResource
from tvdb_pipeline.orchestration.sensors import build_recovery_sensor, build_upload_folder_sensor
from tvdb_pipeline.settings import Settings, load_settings


def build_defs(settings: Settings | None = None, observer: Observer = nobody, **resources: Any) -> dg.Definitions:
    """All definitions. resources: replacements by name (`embedding_client`, `database`, `artifacts`), for tests."""
    settings = settings or load_settings()
    return dg.Definitions(
        assets=[build_assets(settings, observer)],
        jobs=[ingest_documents],
        sensors=[
            build_upload_folder_sensor(settings),
            build_recovery_sensor(settings),
            *build_alert_sensors(settings, Desk),
        ],
        resources={
            "embedding_client": EmbeddingClientResource(),
            "database": DatabaseResource(),
            "artifacts": ArtifactsResource(),
            **resources,
        },
        executor=dg.in_process_executor,
    )


defs = build_defs()
