"""The five assets, materialized together for a batch of documents.

Belongs here: the op that hands its partitions to `ingest.walk` and logs what comes back. Does not: what the UI says about the
assets (`specs`), or any judgement of a document.

One multi_asset over many partitions, because it alone can say of each document in a run what became of it: events are logged
with their partition as they happen, and the run fails at the end if anything selected is missing.
"""

from collections.abc import Iterator

import dagster as dg

from tvdb_pipeline.documents.stages import selected
from tvdb_pipeline.embedding.models import model_of
from tvdb_pipeline.ingest.fingerprints import fingerprints
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.orchestration.checks import CHECK_SPECS, evaluations
from tvdb_pipeline.orchestration.connections import hold_connections
from tvdb_pipeline.orchestration.event_batches import EventBatches
from tvdb_pipeline.orchestration.observation import Observer
from tvdb_pipeline.orchestration.partitions import documents
from tvdb_pipeline.orchestration.resources import ArtifactsResource, DatabaseResource, EmbeddingClientResource
from tvdb_pipeline.orchestration.shielding import shield
from tvdb_pipeline.orchestration.specs import build_specs
from tvdb_pipeline.settings import Settings, load_settings

OUTCOME_TAG = "tvdb/outcome"


def build_assets(settings: Settings, observer: Observer) -> dg.AssetsDefinition:
    """The multi_asset. observer: told of every outcome, for those who show progress."""
    versions = fingerprints(settings, model_of(settings))
    policy = (
        dg.BackfillPolicy.single_run()
        if settings.backfill_policy == "single"
        else dg.BackfillPolicy.multi_run(max_partitions_per_run=settings.documents_per_run)
    )

    @dg.multi_asset(
        name="process_documents",
        specs=build_specs(versions),
        check_specs=CHECK_SPECS,
        partitions_def=documents,
        backfill_policy=policy,
        can_subset=True,
        op_tags={"tvdb/batch": "true"},
    )
    def process_documents(
        context: dg.AssetExecutionContext,
        embedding_client: EmbeddingClientResource,
        database: DatabaseResource,
        artifacts: ArtifactsResource,
    ) -> Iterator[dg.Output[None]]:
        process(context, embedding_client, database, artifacts)
        yield from ()

    @shield
    def process(
        context: dg.AssetExecutionContext,
        embedding_client: EmbeddingClientResource,
        database: DatabaseResource,
        artifacts: ArtifactsResource,
    ) -> None:
        # Not before a run works: what only lists the assets, as the webserver does, is up in half the time.
        from tvdb_pipeline.ingest.walk import walk
        from tvdb_pipeline.ingest.workshop import build_workshop

        stages = selected([key.to_user_string() for key in context.selected_asset_keys])
        hold_connections(context.instance)
        missing: list[StageOutcome] = []
        with database.open() as opened, EventBatches(context) as events:
            shop = build_workshop(load_settings(), opened, embedding_client.create(), artifacts.create())
            for outcome in walk(shop, context.partition_keys, stages, context.run.run_id):
                _log(context, events, outcome)
                observer(outcome)
                if outcome.status != "passed":
                    missing.append(outcome)
        _conclude(context, missing)

    return process_documents


def _log(context: dg.AssetExecutionContext, events: EventBatches, outcome: StageOutcome) -> None:
    materialization = None
    if outcome.status == "passed":
        materialization = dg.AssetMaterialization(
            outcome.stage,
            partition=outcome.key,
            metadata=dict(outcome.metrics),
            tags={"dagster/data_version": outcome.version} if outcome.version else None,
        )
    elif outcome.error is not None:
        # The code only: its sentence stands in `tvdb status`, and may come from a process that reads files of strangers.
        context.log.warning("%s of %s: %s", outcome.stage, outcome.key, outcome.error.code)
    events.add(materialization, evaluations(outcome, context.selected_asset_check_keys))


def _conclude(context: dg.AssetExecutionContext, missing: list[StageOutcome]) -> None:
    """Fail the run exactly when something selected is missing; a run that only had to wait says so in a tag."""
    if not missing:
        return
    deferred = all(outcome.status == "deferred" for outcome in missing)
    if deferred:
        context.instance.add_run_tags(context.run.run_id, {OUTCOME_TAG: "deferred"})
    codes = sorted({outcome.error.code for outcome in missing if outcome.error is not None})
    raise dg.Failure(
        f"{len(missing)} of {len(context.partition_keys)} documents {'wait' if deferred else 'did not pass'}: "
        f"{', '.join(codes)}. The others are complete; tvdb status says what to do.",
        metadata={"documents": len(missing), "codes": ", ".join(codes)},
        allow_retries=False,
    )
