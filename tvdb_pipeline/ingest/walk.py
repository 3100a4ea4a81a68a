"""Walks a batch of documents through the stages.

Belongs here: claiming, order, and turning refusals into outcomes. Does not: the stages' own work, or dagster. Everybody who
processes documents (UI, sensor, CLI, CI) comes through here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.claims import Claims
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.documents.stages import STAGES, Stage, upstream
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.ingest import storing
from tvdb_pipeline.ingest.buying import Buying
from tvdb_pipeline.ingest.finishing import Finishing
from tvdb_pipeline.ingest.keeping import keep
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.reading import read
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.waypoints import passed

_CLAIM_POLL_SECONDS = 0.5


def walk(
    shop: Workshop, batch: Sequence[str], stages: frozenset[Stage] = frozenset(STAGES), run_id: str | None = None
) -> Iterator[StageOutcome]:
    """Process the documents of these keys; the outcomes as they happen, of any document in any order.

    A document claimed elsewhere is waited for until its lease ends. Each selected stage of each document gives one outcome,
    up to the one that did not pass. run_id: the Dagster run all this belongs to, if any. Raises nothing for a document; TvdbError
    where the database is lost.
    """
    waiting = list(dict.fromkeys(batch))
    known = {document.key for document in registry.load(shop.database, waiting) if document.state != "deleted"}
    for key in waiting:
        if key not in known:
            refusal = TvdbError("not_registered", "No such document is registered; run tvdb register.", "document")
            yield StageOutcome(key, _first(stages), "failed", error=refusal)
    waiting = [key for key in waiting if key in known]
    shop.embedding.recover()
    shop.artifacts.sweep()
    passed("walk.recovered")
    with Claims(shop.database, shop.settings.claim_lease_seconds, run_id) as claims:
        while waiting:
            fences = claims.take(waiting)
            passed("claims.taken")
            if fences:
                yield from _Batch(shop, claims, stages).run(fences)
            waiting = [key for key in waiting if key not in fences]
            if waiting:
                time.sleep(_CLAIM_POLL_SECONDS)
                gone = {
                    document.key for document in registry.load(shop.database, waiting) if document.state == "deleted"
                }
                waiting = [key for key in waiting if key not in gone]


def _first(stages: frozenset[Stage]) -> Stage:
    return next(stage for stage in STAGES if stage in stages)


class _Batch:
    """Documents that were claimed together."""

    def __init__(self, shop: Workshop, claims: Claims, stages: frozenset[Stage]) -> None:
        self._shop, self._claims, self._stages = shop, claims, stages
        self._admitted: dict[str, list[StageOutcome]] = {}
        self._unsaid: list[StageOutcome] = []
        self._last = next(stage for stage in reversed(STAGES) if stage in stages)

    def run(self, fences: dict[str, int]) -> Iterator[StageOutcome]:
        documents = registry.load(self._shop.database, list(fences))
        self._buying = Buying(self._shop, [document.key for document in documents])
        with self._shop.parsers() as parsers, Finishing(self._buying, self._complete) as self._finishing:
            works = self._kept(documents, fences)
            for work, outcomes, refusal in read(self._shop, parsers, works, self._stages):
                yield from self._said()
                for admitted in self._admitted.pop(work.key):
                    unfit = isinstance(refusal, DocumentRefused)
                    yield StageOutcome(work.key, "raw_file", "failed", error=refusal) if unfit else admitted
                yield from outcomes
                yield from self._after_reading(work, outcomes, refusal)
            yield from self._said()
            yield from self._finishing.flush()

    def _kept(self, documents: Sequence[Document], fences: dict[str, int]) -> Iterator[Work]:
        """Those whose file was admitted, one by one: the first is being read while the next is copied."""
        for document in documents:
            work = Work(document, fences[document.key])
            storing.begin(self._shop, work)
            work, outcomes, refusal = keep(self._shop, work, selected="raw_file" in self._stages)
            if refusal is None and self._last != "raw_file":
                # Whether the file is fit shows only when it is decoded: until then it does not count as admitted.
                self._admitted[document.key] = outcomes
                yield work
                continue
            self._unsaid += outcomes
            self._finishing.skip(work.key)
            if refusal is not None:
                self._refuse(work, refusal, None)
            else:
                self._leave(work, "raw_file")

    def _said(self) -> Iterator[StageOutcome]:
        """Outcomes that came about beside the reading."""
        unsaid, self._unsaid = self._unsaid, []
        yield from unsaid
        yield from self._finishing.outcomes()

    def _after_reading(
        self, work: Work, outcomes: list[StageOutcome], refusal: TvdbError | None
    ) -> Iterator[StageOutcome]:
        if refusal is not None:
            unfit = isinstance(refusal, DocumentRefused)
            self._refuse(work, refusal, None if unfit else upstream(outcomes[-1].stage))
            self._finishing.skip(work.key)
        elif self._last in ("parsed_text", "chunks"):
            self._leave(work, self._last)
        elif "embeddings" in self._stages:
            self._finishing.add(work)
        else:
            self._buying.take_known(work)
            if work.refusal is not None:
                yield StageOutcome(work.key, "vector_rows", "failed", error=work.refusal)
                self._refuse(work, work.refusal, "chunks")
            else:
                self._finishing.store(work)

    def _complete(self, work: Work) -> list[StageOutcome]:
        """The last two stages, once nothing of the document is pending."""
        outcome = storing.embedded(self._shop, work)
        said = [outcome] if "embeddings" in self._stages else []
        try:
            if outcome.status == "deferred" and work.refusal is not None and work.refusal.retryable:
                storing.defer(self._shop, work, work.refusal)
            elif outcome.status != "passed":
                assert work.refusal is not None
                storing.refuse(self._shop, work, work.refusal, "chunks")
            elif "vector_rows" in self._stages:
                stored = storing.store(self._shop, work)
                said.append(stored)
                if stored.error is not None:
                    storing.refuse(self._shop, work, stored.error, "embeddings")
            else:
                storing.pause(self._shop, work, "embeddings")
        except storing.ClaimLost as lost:
            said.append(StageOutcome(work.key, "vector_rows", "failed", error=lost))
        self._release(work)
        return said

    def _refuse(self, work: Work, refusal: TvdbError, reached: Stage | None) -> None:
        storing.refuse(self._shop, work, refusal, reached)
        self._release(work)

    def _leave(self, work: Work, reached: Stage) -> None:
        storing.pause(self._shop, work, reached)
        self._release(work)

    def _release(self, work: Work) -> None:
        with self._shop.database.connection() as conn:
            self._claims.release(conn, work.key)
        passed("claims.released")
