"""What documents would cost, before anything is spent.

Belongs here: parsing and chunking (the artifacts are kept for the run), counting what the cache lacks. Does not: calling any
client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.documents.discovery import discover
from tvdb_pipeline.documents.registry import load
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.packing import pack
from tvdb_pipeline.embedding.service import Wanted
from tvdb_pipeline.ingest.planning import register_files
from tvdb_pipeline.ingest.reading import keep, read
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Quote:
    """documents: that can be embedded; refused: that cannot be read; texts and tokens: to be bought; cached: texts that are
    there already; requests: they pack into; cost_nano: nano-dollars."""

    documents: int
    refused: int
    texts: int
    cached: int
    tokens: int
    requests: int
    cost_nano: int
    model: str


def quote_paths(shop: Workshop, paths: Sequence[Path]) -> Quote:
    """The quote for all documents under these paths together. Raises TvdbError where a path cannot be read."""
    keys: dict[str, Path] = {}
    for path in paths:
        source = str(path.resolve()) if path.is_dir() else None
        keys.update({key: file.path for key, file in register_files(shop, discover(path), source).items()})
    works = [Work(document, document.fence, keys[document.key]) for document in load(shop.database, list(keys))]
    kept = [work for work in works if keep(shop, work, selected=True)[2] is None]
    wanted: dict[str, Wanted] = {}
    read_well = 0
    with shop.parsers() as parsers:
        for work, _, refusal in read(shop, parsers, kept, frozenset({"raw_file", "parsed_text", "chunks"})):
            if refusal is None:
                read_well += 1
                wanted |= {
                    piece.sha256: Wanted(piece.text, piece.sha256, piece.tokens, work.key)
                    for piece in work.chunks or []
                }
    model = shop.embedding.client.model
    have = cache.known(shop.database, model, wanted.keys())
    missing = [text for name, text in wanted.items() if name not in have]
    tokens = sum(text.tokens for text in missing)
    return Quote(
        documents=read_well,
        refused=len(works) - read_well,
        texts=len(missing),
        cached=len(have),
        tokens=tokens,
        requests=sum(1 for _ in pack(missing)),
        cost_nano=tokens * price(model),
        model=model,
    )
