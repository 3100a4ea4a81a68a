"""What documents would cost, before anything is spent.

Belongs here: parsing and chunking (the artifacts are kept for the run), counting what the cache lacks, packed as the runs will
pack it. Does not: calling any client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.database import audit_trail
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.attachments import descendants
from tvdb_pipeline.documents.stages import Stage
from tvdb_pipeline.embedding import cache, refused
from tvdb_pipeline.embedding.packing import pack
from tvdb_pipeline.embedding.requests import Wanted
from tvdb_pipeline.ingest.batching import contiguous_ranges, expected_pages, run_size
from tvdb_pipeline.ingest.buying import document_cost
from tvdb_pipeline.ingest.keeping import keep
from tvdb_pipeline.ingest.planning import Place, make_plan
from tvdb_pipeline.ingest.reading import read
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Quote:
    """documents: that can be embedded, unchanged ones included; refused: that cannot be read; over_limit: whose own vectors
    would cost more than one document may, so that they are not bought; texts and tokens: to be bought; cached: texts that are
    there already; requests: they pack into; cost_nano: nano-dollars; affordable: whether all of it fits into what is left of
    today's and this hour's limits."""

    documents: int
    refused: int
    over_limit: int
    texts: int
    cached: int
    tokens: int
    requests: int
    cost_nano: int
    model: str
    affordable: bool


def quote_places(shop: Workshop, places: Sequence[Place]) -> Quote:
    """The quote for all documents under these paths and URLs together. Raises TvdbError where one cannot be read."""
    plan = make_plan(shop, places)
    works, rounds = _read_all(shop, plan.keys)
    model, rate = shop.embedding.client.model, price(shop.embedding.client.model)
    # Runs are made of neighbours in the order of registration, and each packs its own texts.
    order = [document.key for document in registry.load(shop.database)]
    texts: dict[str, Wanted] = {}
    requests = over_limit = 0
    # What is attached to messages has come to light by now: the run takes it with them.
    stale = plan.stale + [key for keys in rounds[1:] for key in keys]
    pages = expected_pages(shop, registry.load(shop.database, stale))
    for batch in contiguous_ranges(order, stale, run_size(shop), pages):
        bought: list[Wanted] = []
        for wanted in (_missing(shop, works[key], texts) for key in batch if key in works):
            if _over_limit(shop, wanted):
                over_limit += 1
                continue
            bought += wanted
            texts |= {text.sha256: text for text in wanted}
        requests += sum(1 for _ in pack(bought))
    tokens = sum(text.tokens for text in texts.values())
    hashes = {piece.sha256 for work in works.values() for piece in work.chunks or []}
    quote = Quote(
        documents=len(works),
        refused=sum(map(len, rounds)) - len(works),
        over_limit=over_limit,
        texts=len(texts),
        cached=len(cache.known(shop.database, model, hashes)),
        tokens=tokens,
        requests=requests,
        cost_nano=tokens * rate,
        model=model,
        affordable=_affordable(shop, requests, tokens * rate),
    )
    with shop.database.connection() as conn:
        audit_trail.add(conn, "quoted", {name: value for name, value in asdict(quote).items() if name != "model"})
    return quote


def _read_all(shop: Workshop, keys: Sequence[str]) -> tuple[dict[str, Work], list[list[str]]]:
    """Every document that can be read, chunked; and the keys by rounds: those named, what is attached to them, and so on."""
    stages: frozenset[Stage] = frozenset({"raw_file", "parsed_text", "chunks"})
    works: dict[str, Work] = {}
    rounds = [list(keys)]
    with shop.parsers() as parsers:
        while rounds[-1]:
            found = [Work(document, document.fence) for document in registry.load(shop.database, rounds[-1])]
            kept = [work for work in found if keep(shop, work, selected=True)[2] is None]
            read_now = read(shop, parsers, kept, stages, to_run=False)
            works |= {work.key: work for work, _, refusal in read_now if refusal is None}
            # Reading messages brought their attachments to light.
            known = {key for earlier in rounds for key in earlier}
            rounds.append([key for key in descendants(shop.database, keys) if key not in known])
    return works, rounds


def _missing(shop: Workshop, work: Work, texts: dict[str, Wanted]) -> list[Wanted]:
    """The texts of a document that would be bought for it, `texts` having been bought before."""
    model = shop.embedding.client.model
    pieces = {piece.sha256: piece for piece in work.chunks or [] if piece.sha256 not in texts}
    have = cache.known(shop.database, model, pieces) | refused.known(shop.database, model, pieces)
    return [work.wanted(piece) for name, piece in pieces.items() if name not in have]


def _over_limit(shop: Workshop, wanted: Sequence[Wanted]) -> bool:
    if not wanted or not shop.embedding.client.paid:
        return False
    key = wanted[0].document_key
    assert key is not None
    return document_cost(shop, key, sum(text.tokens for text in wanted)) > shop.ledger.limits.document_nano


def _affordable(shop: Workshop, requests: int, cost: int) -> bool:
    if not shop.embedding.client.paid:
        return True
    now, limits = shop.ledger.state(), shop.ledger.limits
    return (
        now.spent_nano + now.held_nano + cost <= limits.daily_nano and now.requests + requests <= limits.hourly_requests
    )
