"""The one job: all five assets for a range of documents.

Belongs here: its definition. Does not: launching it.
"""

from __future__ import annotations

import dagster as dg

from tvdb_pipeline.documents.stages import STAGES

JOB_NAME = "ingest_documents"
ingest_documents = dg.define_asset_job(
    JOB_NAME,
    selection=dg.AssetSelection.assets(*STAGES),
    executor_def=dg.in_process_executor,
    description="Materialize documents from file to searchable rows, a batch in one process.",
)
