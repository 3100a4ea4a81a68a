"""The end of a walk: judge the vectors, swap the rows, write down the document's state.

Belongs here: the last two stages and every change of a document's row. Does not: deciding what to process.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from tvdb_pipeline.budget.bills import Bill, bills
from tvdb_pipeline.budget.prices import dollars
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.stages import STAGES, Stage, data_versions
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.ingest import figures
from tvdb_pipeline.ingest.fingerprints import fingerprints
from tvdb_pipeline.ingest.outcomes import CheckOutcome, StageOutcome
from tvdb_pipeline.ingest.removal import drop_artifacts
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.storage.refusals import StorageAway
from tvdb_pipeline.vectorstore import rows
from tvdb_pipeline.vectorstore.indexes import ensure_index
from tvdb_pipeline.waypoints import passed

_WAIT_STEPS_SECONDS = (30, 120, 600, 1800, 3600)
"""How long a document rests after its first, second, ... refusal before it is taken up by itself."""


class ClaimLost(TvdbError):
    """Somebody else claimed the document after our lease lapsed: nothing of ours was written."""

    def __init__(self) -> None:
        super().__init__("claim_lost", "Another process took the document over; its result stands.", retryable=True)


def begin(shop: Workshop, work: Work) -> None:
    """Write down that the document is being worked on."""
    with shop.database.connection() as conn:
        values = {"state": "processing", "attempts": work.document.attempts + 1, "next_attempt_at": None}
        registry.record(conn, work.key, work.fence, values)
    passed("walk.begun")


def refuse(shop: Workshop, work: Work, refusal: TvdbError, reached: Stage | None) -> None:
    """Write down why the document goes no further. Rows of an earlier version stay as they are."""
    state = "rejected" if isinstance(refusal, DocumentRefused) else "failed"
    if isinstance(refusal, StorageAway):
        # Nothing of the document's: no attempts are counted, however long it takes.
        state = "deferred"
    values: dict[str, Any] = {"state": state, "error": refusal.as_json(), "stage": reached, **_found(work)}
    if state != "rejected":
        values["next_attempt_at"] = _next_attempt(work, refusal)
    with shop.database.connection() as conn:
        registry.record(conn, work.key, work.fence, values)
    passed("refuse.kept")


def pause(shop: Workshop, work: Work, reached: Stage) -> None:
    """Write down how far a walk got that was not to go to the end."""
    state = work.document.state if work.document.state in registry.SEARCHABLE else "registered"
    with shop.database.connection() as conn:
        registry.record(conn, work.key, work.fence, {"state": state, "stage": reached, "error": None, **_found(work)})


def embedded(shop: Workshop, work: Work) -> StageOutcome:
    """Stage embeddings: the outcome for a document nothing is pending of, with its two checks."""
    assert work.chunks is not None
    model, marks = _model(shop, work), fingerprints(shop.settings, _model(shop, work), work.media_type)
    work.versions = data_versions(work.versions["raw_file"], marks)
    bill = bills(shop.database, [work.key]).get(work.key, Bill(0, 0, 0))
    metrics = figures.of_embeddings(work, bill, _provisional(work), len(_refused_chunks(work)))
    cost = _cost_check(shop, bill)
    if work.refusal is not None:
        return StageOutcome(work.key, "embeddings", "deferred", metrics=metrics, checks=(cost,), error=work.refusal)
    report = rows.vector_report(shop.database, work.bought)
    passed("embeddings.judged")
    norms = {
        "texts": report.texts,
        "vectors": report.vectors,
        "least_norm": report.least_norm,
        "most_norm": report.most_norm,
    }
    formed = CheckOutcome("vectors_well_formed", report.passed, True, {**norms, "distinct": report.distinct})
    if not report.passed:
        work.refusal = TvdbError(
            "vectors_malformed", "Vectors are missing, not of unit length, or all alike.", "provider", True
        )
        return StageOutcome(
            work.key, "embeddings", "failed", metrics=metrics, checks=(formed, cost), error=work.refusal
        )
    return StageOutcome(
        work.key, "embeddings", "passed", work.versions["embeddings"], {**metrics, "model": model}, (formed, cost)
    )


def store(shop: Workshop, work: Work) -> StageOutcome:
    """Stage vector_rows: swap the rows and write the final state in one transaction. Raises ClaimLost."""
    assert work.chunks is not None
    started = time.monotonic()
    for model in {got.model for got in work.bought.values()}:
        ensure_index(shop.database, model)
    passed("index.made")
    with shop.database.connection() as conn:
        unchanged = work.document.versions.get("vector_rows") == work.versions["vector_rows"]
        report = rows.report(conn, work.key, len(work.chunks), len(_refused_chunks(work)))
        if not (unchanged and report.passed and report.provisional == _provisional(work)):
            report = rows.swap(conn, work.key, work.chunks, work.bought, work.refused)
        check = CheckOutcome(
            "rows_match_chunks",
            report.passed,
            True,
            {"chunks": report.chunks, "rows": report.rows, "vectors": report.vectors, "refused": report.refused},
        )
        if not report.passed:
            conn.rollback()
            refusal = TvdbError(
                "rows_mismatch", "The rows stored do not match the chunks; the earlier rows were kept.", retryable=True
            )
            return StageOutcome(work.key, "vector_rows", "failed", checks=(check,), error=refusal)
        work.seconds["store"] = time.monotonic() - started
        _finish(shop, work, report, conn)
        passed("rows.state_uncommitted")
    passed("rows.swapped")
    before = work.document.versions.items()
    with suppress(StorageAway):
        # The rows are in. What is left lying is nobody's, and dropped as such.
        drop_artifacts(shop, {stage: version for stage, version in before if work.versions.get(stage) != version})
    passed("artifacts.dropped")
    metrics = figures.of_vector_rows(work, report)
    return StageOutcome(work.key, "vector_rows", "passed", work.versions["vector_rows"], metrics, (check,))


def defer(shop: Workshop, work: Work, refusal: TvdbError) -> None:
    """Write down that vectors have to wait. Without an earlier version its text is stored now, so that it can be found."""
    assert work.chunks is not None
    with shop.database.connection() as conn:
        rows.remember_texts(conn, work.key, work.chunks)
        stored = rows.report(conn, work.key, len(work.chunks))
        if stored.vectors == 0:
            stored = rows.swap(conn, work.key, work.chunks, work.bought)
        values = {
            "state": "deferred",
            "stage": "chunks",
            "error": refusal.as_json(),
            "next_attempt_at": _next_attempt(work, refusal),
            "chunks": len(work.chunks),
            "vectors": stored.vectors,
            "provisional_vectors": stored.provisional,
            **_found(work),
        }
        if not registry.record(conn, work.key, work.fence, values):
            raise ClaimLost
        passed("defer.rows_uncommitted")
    passed("defer.kept")


def _finish(shop: Workshop, work: Work, report: rows.RowsReport, conn: registry.Connection) -> None:
    missing = None
    named = work.missing + [f"chunk {index}: refused by the provider" for index in _refused_chunks(work)]
    if named:
        more = f" and {len(named) - 5} more" if len(named) > 5 else ""
        sentence = f"Not everything is searchable by meaning: {'; '.join(named[:5])}{more}."
        missing = TvdbError("incomplete", sentence, kind="document").as_json()
    values = {
        "state": "partial" if missing else "ready",
        "stage": "vector_rows",
        "error": missing,
        "chunks": report.chunks,
        "vectors": report.vectors,
        "provisional_vectors": report.provisional,
        "embedding_model": _model(shop, work),
        "attempts": 0,
        "next_attempt_at": None,
        **_found(work),
        "versions": dict(work.versions),
    }
    if not registry.record(conn, work.key, work.fence, values):
        raise ClaimLost


def _found(work: Work) -> dict[str, Any]:
    """What was learned of the file, as far as the walk got."""
    values: dict[str, Any] = {"seconds": {name: round(value, 4) for name, value in work.seconds.items()}}
    if work.mark is not None:
        values["source_mark"] = work.mark
    if work.versions:
        reached = STAGES[: 3 if work.chunks is not None else 1]
        values |= {"content_sha256": work.versions["raw_file"], "media_type": work.media_type, "bytes": work.bytes}
        kept = work.document.versions.get("vector_rows")
        values["versions"] = {stage: work.versions[stage] for stage in reached} | (
            {"vector_rows": kept} if kept else {}
        )
    if work.coverage:
        values |= {"pages": work.pages, "page_coverage": work.coverage}
    return values


def _model(shop: Workshop, work: Work) -> str:
    """The model of the vectors; the stand-in's where any of them is provisional, so that they are replaced later."""
    own = shop.embedding.client.model
    return next((got.model for got in work.bought.values() if got.model != own), own)


def _provisional(work: Work) -> int:
    bought = [work.bought[piece.sha256] for piece in work.chunks or [] if piece.sha256 in work.bought]
    return sum(1 for got in bought if got.provisional)


def _refused_chunks(work: Work) -> list[int]:
    """Indexes of the chunks the provider refuses."""
    return [piece.index for piece in work.chunks or [] if piece.sha256 in work.refused]


def _cost_check(shop: Workshop, bill: Bill) -> CheckOutcome:
    limits = shop.ledger.limits
    day = shop.ledger.state()
    within = bill.cost_nano <= limits.document_nano and day.spent_nano + day.held_nano <= limits.daily_nano
    spent = {
        "document_usd": dollars(bill.cost_nano),
        "day_usd": dollars(day.spent_nano),
        "day_limit_usd": dollars(limits.daily_nano),
    }
    return CheckOutcome("cost_within_limits", within, True, spent)


def _next_attempt(work: Work, refusal: TvdbError) -> datetime:
    """When it is taken up again by itself: as soon as the refusal can be over, where that is known."""
    now = datetime.now(UTC)
    if refusal.retry_at is not None:
        return max(refusal.retry_at, now + timedelta(seconds=1))
    step = min(work.document.attempts, len(_WAIT_STEPS_SECONDS) - 1)
    return now + timedelta(seconds=_WAIT_STEPS_SECONDS[step])
