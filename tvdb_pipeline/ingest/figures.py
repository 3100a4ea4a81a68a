"""The figures of each stage of a document, as Dagster lists and plots them.

Belongs here: counts, seconds and dollars by name. Does not: judging them (the checks), or text, file names and vectors, which
go nowhere. A name stays what it is: Dagster draws one plot for each, over all documents and over time. Seconds are 0 where the
result of an earlier walk was taken.
"""

from __future__ import annotations

from tvdb_pipeline.budget.bills import Bill
from tvdb_pipeline.budget.prices import dollars
from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.vectorstore.rows import RowsReport

Figures = dict[str, int | float | str]


def of_raw_file(work: Work, digest: str) -> Figures:
    """A file that is kept under `digest`, not read; its pages where this very content was read before."""
    figures: Figures = {"bytes": work.bytes, "media_type": work.media_type}
    if work.document.pages and work.document.content_sha256 == digest:
        figures["pages"] = work.document.pages
    if work.document.parent_key is not None:
        figures["attached_to"] = work.document.parent_key
    return figures


def of_parsed_text(work: Work, parsed: ParsedDocument) -> Figures:
    """Pages by route, and how much was read; seconds: of decoding, in all processes that took part."""
    return {
        "pages": work.pages,
        **{f"pages_{route}": count for route, count in work.coverage.items()},
        "elements": len(parsed.elements),
        "characters": sum(len(element.text) for element in parsed.elements),
        "attachments": len(parsed.attached),
        "seconds": _rounded(work, "parse"),
    }


def of_chunks(work: Work, pieces: list[Chunk]) -> Figures:
    """Passages and their cl100k tokens."""
    return {
        "chunks": len(pieces),
        "tokens": sum(piece.tokens for piece in pieces),
        "seconds": _rounded(work, "chunk"),
    }


def of_embeddings(work: Work, bill: Bill, provisional: int, refused: int) -> Figures:
    """Vectors by chunk, texts by hash: equal passages are one text, in this document or any other.

    texts_bought: asked for by this walk, on this document's bill; texts_reused: all others that have a vector; tokens: of both.
    bill: over all versions the document ever had. seconds: its share of the time its requests took.
    """
    return {
        "vectors": sum(1 for piece in work.chunks or [] if piece.sha256 in work.bought),
        "provisional": provisional,
        "refused": refused,
        "tokens": work.tokens_of(set(work.bought)),
        "texts_bought": work.fetched,
        "texts_reused": len(work.bought) - work.fetched,
        "bill_usd": dollars(bill.cost_nano),
        "bill_tokens": bill.tokens,
        "bill_requests": bill.requests,
        "seconds": _rounded(work, "embed"),
    }


def of_vector_rows(work: Work, report: RowsReport) -> Figures:
    """Rows that are searchable from now on; seconds: of swapping them in."""
    return {
        "rows": report.rows,
        "vectors": report.vectors,
        "provisional": report.provisional,
        "seconds": _rounded(work, "store"),
    }


def _rounded(work: Work, step: str) -> float:
    return round(work.seconds[step], 4)
