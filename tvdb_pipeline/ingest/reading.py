"""The second stage: parse, and take in what is attached.

Belongs here: running it for a batch, reusing artifacts that are there. Does not: parsing itself, or what follows (`cutting`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from tvdb_pipeline.documents.admission import MAIL
from tvdb_pipeline.documents.stages import Stage
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.ingest import figures
from tvdb_pipeline.ingest.attaching import adopt, all_kept, keep_files
from tvdb_pipeline.ingest.cutting import cut
from tvdb_pipeline.ingest.outcomes import CheckOutcome, StageOutcome
from tvdb_pipeline.ingest.work import Read, Work, failed_stage, passed_stage, upstream_missing
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pool import ParseJob, ParseResult, ParserPool
from tvdb_pipeline.storage.refusals import StorageAway
from tvdb_pipeline.waypoints import passed


def read(
    shop: Workshop, parsers: ParserPool, works: Iterable[Work], stages: frozenset[Stage], *, to_run: bool = True
) -> Iterator[Read]:
    """Stages parsed_text and chunks, document by document as they are ready.

    works: taken one by one, each given to the parsers at once. to_run: files attached to messages become documents that are
    due at once (see `attaching`).
    """
    sorted_out = _Sorted({}, [], [])
    for result in parsers.parse(_jobs(shop, works, stages, sorted_out)):
        work = sorted_out.jobs[result.key]
        yield _unless_away(work, "parsed_text", partial(_taken, shop, work, result, stages, to_run))
    for work in sorted_out.at_hand:
        yield _unless_away(work, "parsed_text", partial(_again, shop, work, stages, to_run))
    yield from sorted_out.away


@dataclass(slots=True)
class _Sorted:
    """jobs: those being parsed, by key; at_hand: those whose text is kept; away: those that storage does not give."""

    jobs: dict[str, Work]
    at_hand: list[Work]
    away: list[Read]


def _unless_away(work: Work, stage: Stage, step: Callable[[], Read]) -> Read:
    """What a step says; the refusal of the stage where storage is away."""
    try:
        return step()
    except StorageAway as away:
        return work, [failed_stage(work, stage, away)], away


def _jobs(shop: Workshop, works: Iterable[Work], stages: frozenset[Stage], sorted_out: _Sorted) -> Iterator[ParseJob]:
    """Those to be parsed; notes them and the others."""
    for work in works:
        version = work.versions["parsed_text"]
        try:
            known = shop.artifacts.has("parsed_text", version) and not _lacks_files(shop, work)
            if known or "parsed_text" not in stages:
                sorted_out.at_hand.append(work)
                continue
            file = shop.artifacts.at_hand("raw_file", work.versions["raw_file"])
        except StorageAway as away:
            sorted_out.away.append((work, [failed_stage(work, "parsed_text", away)], away))
            continue
        sorted_out.jobs[work.key] = work
        yield ParseJob(work.key, file, work.media_type, shop.shelf(work.key, version))


def _again(shop: Workshop, work: Work, stages: frozenset[Stage], to_run: bool) -> Read:
    """What was read earlier."""
    version = work.versions["parsed_text"]
    if shop.artifacts.has("parsed_text", version):
        return _parsed(shop, work, shop.artifacts.get("parsed_text", version), stages, to_run)
    refusal = upstream_missing("parsed_text")
    return work, [failed_stage(work, "chunks" if "chunks" in stages else "embeddings", refusal)], refusal


def _taken(shop: Workshop, work: Work, result: ParseResult, stages: frozenset[Stage], to_run: bool) -> Read:
    """What a parsing process answered, kept."""
    work.seconds["parse"] = result.seconds
    passed("parsed_text.parsed")
    if isinstance(result.parsed, TvdbError):
        if isinstance(result.parsed, DocumentRefused):
            shop.shelf(work.key).forget()
        return work, [failed_stage(work, "parsed_text", result.parsed)], result.parsed
    try:
        keep_files(shop, result.attached)
        shop.artifacts.put("parsed_text", work.versions["parsed_text"], result.parsed)
    except TvdbError as refusal:
        return work, [failed_stage(work, "parsed_text", refusal)], refusal
    passed("parsed_text.kept")
    shop.shelf(work.key).forget()
    return _parsed(shop, work, result.parsed, stages, to_run)


def _parsed(shop: Workshop, work: Work, body: bytes | None, stages: frozenset[Stage], to_run: bool) -> Read:
    if body is None:
        refusal = TvdbError(
            "artifact_damaged", "A stored result was damaged and is made again at the next run.", retryable=True
        )
        shop.artifacts.remove("parsed_text", work.versions["parsed_text"])
        return work, [failed_stage(work, "parsed_text", refusal)], refusal
    try:
        parsed = ParsedDocument.from_json(body)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # The process that reads documents of strangers is not trusted to speak the truth, nor even JSON.
        refusal = TvdbError(
            "parser_answer", "What was read from the file makes no sense; it is not used.", "document", True
        )
        shop.artifacts.remove("parsed_text", work.versions["parsed_text"])
        return work, [failed_stage(work, "parsed_text", refusal)], refusal
    work.coverage = parsed.coverage()
    work.missing = [f"page {page.number}: {page.note}" for page in parsed.pages if page.note] + parsed.missing
    work.missing += adopt(shop, work.document, parsed, to_run=to_run)
    outcomes: list[StageOutcome] = []
    if "parsed_text" in stages:
        outcomes.append(passed_stage(work, "parsed_text", figures.of_parsed_text(work, parsed), coverage_check(work)))
    refusal = cut(shop, work, parsed, stages, outcomes)
    return work, outcomes, refusal


def coverage_check(work: Work) -> CheckOutcome:
    """`parsed_text/text_covers_pages`: every page was read as text, by OCR, or is blank. Not blocking: the rest is of use."""
    return CheckOutcome(
        "text_covers_pages", work.coverage["failed"] == 0, False, {"pages": work.pages, **work.coverage}
    )


def _lacks_files(shop: Workshop, work: Work) -> bool:
    """Whether a message has to be read again because a file attached to it is no longer kept."""
    body = shop.artifacts.get("parsed_text", work.versions["parsed_text"]) if work.media_type in MAIL else None
    return body is not None and not all_kept(shop, ParsedDocument.from_json(body))
