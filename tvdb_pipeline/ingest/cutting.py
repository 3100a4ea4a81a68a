"""The third stage: what was read, cut into chunks.

Belongs here: stage chunks of one document and its check. Does not: where cuts go (`chunking`).
"""

from __future__ import annotations

import time
from typing import Any

from tvdb_pipeline.chunking import chunks as chunking
from tvdb_pipeline.documents.stages import Stage
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.ingest import figures
from tvdb_pipeline.ingest.outcomes import CheckOutcome, StageOutcome
from tvdb_pipeline.ingest.sending import to_be_sent
from tvdb_pipeline.ingest.work import Work, failed_stage, passed_stage, upstream_missing
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.waypoints import passed


def cut(
    shop: Workshop, work: Work, parsed: ParsedDocument, stages: frozenset[Stage], outcomes: list[StageOutcome]
) -> TvdbError | None:
    """Cut the document, or take the chunks of last time; adds to `outcomes`. The refusal that ends its walk, if any."""
    version = work.versions["chunks"]
    try:
        stored = shop.artifacts.get("chunks", version)
    except TvdbError as refusal:
        outcomes.append(failed_stage(work, "chunks", refusal))
        return refusal
    if stored is None and "chunks" not in stages:
        if stages & {"embeddings", "vector_rows"}:
            refusal = upstream_missing("chunks")
            outcomes.append(failed_stage(work, "embeddings" if "embeddings" in stages else "vector_rows", refusal))
            return refusal
        return None
    started = time.monotonic()
    try:
        if stored is None:
            pieces = chunking.chunk(parsed.elements)
            passed("chunks.cut")
            shop.artifacts.put("chunks", version, chunking.to_json(pieces))
            passed("chunks.kept")
        else:
            pieces = chunking.from_json(stored)
    except TvdbError as refusal:
        outcomes.append(failed_stage(work, "chunks", refusal))
        return refusal
    work.chunks, work.redacted = to_be_sent(pieces, shop.redactor)
    work.seconds["chunk"] = time.monotonic() - started
    report = chunking.size_report(pieces)
    sizes: dict[str, Any] = {"chunks": report.chunks, "least_tokens": report.least, "most_tokens": report.most}
    check = CheckOutcome("sizes_within_limits", report.passed, True, sizes)
    if not report.passed:
        refusal = DocumentRefused("no_text", "The file holds no text worth searching, only marks or blank pages.")
        if report.chunks:
            refusal = TvdbError("chunk_size", "A chunk came out empty or too long; this is a fault of the program.")
        outcomes.append(StageOutcome(work.key, "chunks", "failed", metrics=sizes, checks=(check,), error=refusal))
        return refusal
    if "chunks" in stages:
        outcomes.append(passed_stage(work, "chunks", figures.of_chunks(work, pieces), check))
    return None
