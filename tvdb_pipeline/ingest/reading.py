"""The first three stages: keep the file, parse it, cut it into chunks.

Belongs here: running them for a batch, reusing artifacts that are there. Does not: what follows once chunks are known.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from tvdb_pipeline.chunking import chunks as chunking
from tvdb_pipeline.documents.admission import HEAD_BYTES, admit
from tvdb_pipeline.documents.stages import Stage, data_versions
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.ingest.fingerprints import fingerprints
from tvdb_pipeline.ingest.outcomes import CheckOutcome, StageOutcome
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pool import ParseJob, ParserPool
from tvdb_pipeline.waypoints import passed

Read = tuple[Work, list[StageOutcome], TvdbError | None]
"""A document, the outcomes of this step, and the refusal that ends its walk, if any."""


def keep(shop: Workshop, work: Work, *, selected: bool) -> Read:
    """Stage raw_file: judge the file by size and first bytes, and keep a copy under its content hash.

    Not selected: take the copy of last time; TvdbError(`upstream_missing`) in the result where there is none.
    """
    try:
        if selected:
            size = work.file.stat(follow_symlinks=False).st_size
            cap = shop.settings.max_document_mb << 20
            with work.file.open("rb") as file:
                work.media_type = admit(file.read(HEAD_BYTES), size, work.file.name, cap)
            digest, work.bytes = shop.artifacts.keep_file(work.file)
            passed("raw_file.kept")
        else:
            known = work.document
            if (
                known.content_sha256 is None
                or known.media_type is None
                or not shop.artifacts.has("raw_file", known.content_sha256)
            ):
                raise _upstream_missing("raw_file")
            digest, work.media_type, work.bytes = known.content_sha256, known.media_type, known.bytes or 0
    except OSError as error:
        refusal = TvdbError(
            "unreadable", f"The file cannot be read (errno {error.errno}); check its permissions.", retryable=True
        )
        return work, [_failed(work, "raw_file", refusal)], refusal
    except TvdbError as refusal:
        return work, [_failed(work, "raw_file", refusal)], refusal
    marks = fingerprints(shop.settings, shop.embedding.client.model, work.media_type)
    work.versions = data_versions(digest, marks)
    return (
        work,
        [_passed(work, "raw_file", {"bytes": work.bytes, "media_type": work.media_type})] if selected else [],
        None,
    )


def read(shop: Workshop, parsers: ParserPool, works: Sequence[Work], stages: frozenset[Stage]) -> Iterator[Read]:
    """Stages parsed_text and chunks, document by document as they are ready; those with artifacts first."""
    jobs: dict[str, Work] = {}
    for work in works:
        version = work.versions["parsed_text"]
        if shop.artifacts.has("parsed_text", version):
            yield _parsed(shop, work, shop.artifacts.get("parsed_text", version), stages)
        elif "parsed_text" in stages:
            jobs[work.key] = work
        else:
            refusal = _upstream_missing("parsed_text")
            yield work, [_failed(work, "chunks" if "chunks" in stages else "embeddings", refusal)], refusal
    queue = [
        ParseJob(
            key,
            shop.artifacts.path("raw_file", work.versions["raw_file"]),
            work.media_type,
            shop.shelf(key, work.versions["parsed_text"]),
        )
        for key, work in jobs.items()
    ]
    for result in parsers.parse(queue):
        work = jobs[result.key]
        work.seconds["parse"] = result.seconds
        passed("parsed_text.parsed")
        if isinstance(result.parsed, TvdbError):
            if isinstance(result.parsed, DocumentRefused):
                shop.shelf(work.key).forget()
            yield work, [_failed(work, "parsed_text", result.parsed)], result.parsed
        else:
            try:
                shop.artifacts.put("parsed_text", work.versions["parsed_text"], result.parsed)
            except TvdbError as refusal:
                yield work, [_failed(work, "parsed_text", refusal)], refusal
                continue
            passed("parsed_text.kept")
            shop.shelf(work.key).forget()
            yield _parsed(shop, work, result.parsed, stages)


def _parsed(shop: Workshop, work: Work, body: bytes | None, stages: frozenset[Stage]) -> Read:
    if body is None:
        refusal = TvdbError(
            "artifact_damaged", "A stored result was damaged and is made again at the next run.", retryable=True
        )
        shop.artifacts.remove("parsed_text", work.versions["parsed_text"])
        return work, [_failed(work, "parsed_text", refusal)], refusal
    try:
        parsed = ParsedDocument.from_json(body)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # The process that reads documents of strangers is not trusted to speak the truth, nor even JSON.
        refusal = TvdbError(
            "parser_answer", "What was read from the file makes no sense; it is not used.", "document", True
        )
        shop.artifacts.remove("parsed_text", work.versions["parsed_text"])
        return work, [_failed(work, "parsed_text", refusal)], refusal
    work.coverage = parsed.coverage()
    work.missing = [f"page {page.number}: {page.note}" for page in parsed.pages if page.note] + parsed.missing
    outcomes: list[StageOutcome] = []
    if "parsed_text" in stages:
        check = coverage_check(work)
        outcomes.append(_passed(work, "parsed_text", {**work.coverage, "elements": len(parsed.elements)}, check))
    refusal = _chunk(shop, work, parsed, stages, outcomes)
    return work, outcomes, refusal


def coverage_check(work: Work) -> CheckOutcome:
    """`parsed_text/text_covers_pages`: every page was read as text, by OCR, or is blank. Not blocking: the rest is of use."""
    return CheckOutcome(
        "text_covers_pages", work.coverage["failed"] == 0, False, {"pages": work.pages, **work.coverage}
    )


def _chunk(
    shop: Workshop, work: Work, parsed: ParsedDocument, stages: frozenset[Stage], outcomes: list[StageOutcome]
) -> TvdbError | None:
    version = work.versions["chunks"]
    stored = shop.artifacts.get("chunks", version)
    if stored is None and "chunks" not in stages:
        if stages & {"embeddings", "vector_rows"}:
            refusal = _upstream_missing("chunks")
            outcomes.append(_failed(work, "embeddings" if "embeddings" in stages else "vector_rows", refusal))
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
        outcomes.append(_failed(work, "chunks", refusal))
        return refusal
    work.seconds["chunk"] = time.monotonic() - started
    work.chunks = pieces
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
        tokens = sum(piece.tokens for piece in pieces)
        outcomes.append(_passed(work, "chunks", {"chunks": len(pieces), "tokens": tokens}, check))
    return None


def _passed(work: Work, stage: Stage, metrics: dict[str, Any], *checks: CheckOutcome) -> StageOutcome:
    return StageOutcome(work.key, stage, "passed", work.versions[stage], metrics, checks)


def _failed(work: Work, stage: Stage, refusal: TvdbError) -> StageOutcome:
    return StageOutcome(work.key, stage, "failed", error=refusal)


def _upstream_missing(stage: Stage) -> TvdbError:
    return TvdbError("upstream_missing", f"The result of {stage} is not there; select it, too.", retryable=True)
