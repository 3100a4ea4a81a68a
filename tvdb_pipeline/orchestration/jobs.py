"""The one job: all five assets for a range of documents.

Belongs here: its definition. Does not: launching it.
"""

from __future__ import annotations

import dagster as dg

from tvdb_pipeline.documents.stages import STAGES
from tvdb_pipeline.orchestration.specs import OWNER

JOB_NAME = "ingest_documents"
ingest_documents = dg.define_asset_job(
    JOB_NAME,
    selection=dg.AssetSelection.assets(*STAGES),
    executor_def=dg.in_process_executor,
    description="Documents from file to searchable rows, a batch in one process. The sensors launch it; so can you, for one "
    "document or a range. A run fails if any of its documents did not pass, and leaves the others complete.",
    owners=[OWNER],
)
