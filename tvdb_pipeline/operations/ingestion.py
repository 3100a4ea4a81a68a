"""Ingesting from the shell: plan, run, report.

Belongs here: `tvdb ingest`, `tvdb register` and `tvdb delete` as functions. Does not: planning or running themselves. Dagster is
opened only when there is something for it to do, which keeps an unchanged folder a matter of seconds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.attachments import descendants
from tvdb_pipeline.documents.claims import Claims
from tvdb_pipeline.documents.tombstones import events_due
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.attaching import refuse_apart
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.planning import Place, Plan, come_to_light, register_place
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.sweeping import tidy
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.operations.overview import overview

EXPECTED_WITHIN_SECONDS = 1800.0
"""A document planned by a command that has not begun it by then (its process was killed) is taken up by the sensor."""


@dataclass(slots=True)
class IngestResult:
    """documents: objects as in `tvdb status`; sums of this invocation; withheld: how many removals wait for a word."""

    documents: list[dict[str, Any]]
    run_ids: list[str]
    seconds: float
    texts_sent: int
    requests: int
    cost_nano: int
    removed: int
    withheld: int


class Progress(Protocol):
    """Shows a run: how many documents are to come, then each outcome as it happens."""

    def expect(self, documents: int) -> None: ...
    def tell(self, outcome: StageOutcome) -> None: ...


def ingest_paths(shop: Workshop, plan: Plan, progress: Progress) -> IngestResult:
    """Run what the plan calls stale, let go of what it calls gone; additions first, so that renamed files find their vectors."""
    started = time.monotonic()
    before = shop.ledger.last_request()
    run_ids: list[str] = []
    progress.expect(len(plan.stale))
    if plan.stale or plan.gone or events_due(shop.database):
        from tvdb_pipeline.orchestration.forgetting import forget_erased
        from tvdb_pipeline.orchestration.home import open_instance
        from tvdb_pipeline.orchestration.launching import run_documents

        registry.expect_run(shop.database, plan.stale, EXPECTED_WITHIN_SECONDS)
        with open_instance(shop.settings, shop.database.url) as instance:
            run_ids = run_documents(instance, shop, plan.stale, progress.tell)
            while attached := come_to_light(shop, plan):
                # They may be messages in turn.
                progress.expect(len(attached))
                plan.stale += attached
                run_ids += run_documents(instance, shop, attached, progress.tell)
            remove(shop, plan.gone, "vanished")
            forget_erased(instance, shop.database)
    tidy(shop)
    sums = shop.ledger.sums_since(before, plan.keys)
    return IngestResult(
        documents=overview(shop.database, plan.keys),
        run_ids=run_ids,
        seconds=round(time.monotonic() - started, 3),
        texts_sent=sums.texts,
        requests=sums.requests,
        cost_nano=sums.cost_nano,
        removed=len(plan.gone),
        withheld=len(plan.withheld),
    )


def register_places(shop: Workshop, places: Sequence[Place]) -> list[str]:
    """Add the documents under these paths and URLs to the table and to Dagster's partitions; their keys."""
    from tvdb_pipeline.orchestration.home import open_instance
    from tvdb_pipeline.orchestration.partitions import add_partitions

    keys: list[str] = []
    for place in places:
        keys += register_place(shop, place)
    with open_instance(shop.settings, shop.database.url) as instance:
        add_partitions(instance, keys)
    return keys


def delete_document(shop: Workshop, key: str) -> int:
    """Erase a document with what is attached to it: rows, artifacts, cached vectors, Dagster's records; the number of rows.

    A run that is under way over its neighbours keeps its partition until the recovery sensor finds that run ended. Raises
    TvdbError: `not_registered`, `attachment`, `busy`.
    """
    from tvdb_pipeline.orchestration.forgetting import forget_erased
    from tvdb_pipeline.orchestration.home import open_instance

    documents = [document for document in registry.load(shop.database, [key]) if document.state != "deleted"]
    if not documents:
        raise TvdbError("not_registered", "No document has this key; tvdb status lists them.")
    refuse_apart(documents[0])
    keys = [key, *descendants(shop.database, [key])]
    with Claims(shop.database, shop.settings.claim_lease_seconds) as claims:
        # Whoever works on it would go on writing what is being removed.
        if len(claims.take(keys)) < len(keys):
            raise TvdbError(
                "busy", "The document is being processed at this moment; delete it when that is done (tvdb status)."
            )
        rows = remove(shop, keys, "command")
    with open_instance(shop.settings, shop.database.url) as instance:
        forget_erased(instance, shop.database)
    return rows
