"""Which documents share a run.

Belongs here: cutting documents into ranges of partitions, and how much work each is. Does not: launching runs.

A run buys in full requests, so its small documents wait for its large ones. Runs are therefore filled by pages, and a document
that is a good part of a run by itself has one of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from tvdb_pipeline.documents.identity import located
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.storage.urls import is_url

BYTES_A_PAGE = 13_000
"""Of the 19 real insurance documents (828 pages) measured: 12.9 kB. Scans are ten times that, and as much slower to read."""
ALONE = 0.25
"""A document of more than this part of a run's pages has a run of its own."""


@dataclass(frozen=True, slots=True)
class RunSize:
    """The most documents of a run, and the most pages of one that holds more than one document."""

    documents: int
    pages: int


def run_size(shop: Workshop) -> RunSize:
    """As the settings state it."""
    return RunSize(shop.settings.documents_per_run, shop.settings.pages_per_run)


def expected_pages(shop: Workshop, documents: Collection[Document]) -> dict[str, int]:
    """key -> pages: those it had when it was last read; of one that was not, as many as its bytes make on average."""
    rows = shop.database.fetch(
        """SELECT d.key, coalesce(o.bytes, d.bytes) FROM tvdb.documents d LEFT JOIN tvdb.observations o ON o.path = d.path
           WHERE d.key = ANY(%s)""",
        ([document.key for document in documents if not document.pages],),
    )
    sizes: dict[str, int | None] = {row[0]: row[1] for row in rows}
    return {
        document.key: document.pages or ceil((sizes.get(document.key) or _size_here(shop, document)) / BYTES_A_PAGE)
        for document in documents
    }


def contiguous_ranges(
    order: Sequence[str], wanted: Collection[str], size: RunSize, pages: Mapping[str, int]
) -> Iterator[list[str]]:
    """`wanted` as runs of neighbours in `order` (Dagster's order of insertion), none over `size`.

    A ranged run covers every key between its first and last, so only neighbours can share one. pages: by key; one page for those
    not in it.
    """
    chosen = set(wanted)
    batch: list[str] = []
    filled = 0
    for key in order:
        weight = max(pages.get(key, 1), 1)
        alone = weight > size.pages * ALONE
        full = len(batch) == size.documents or filled + weight > size.pages
        if batch and (key not in chosen or full or alone):
            yield batch
            batch, filled = [], 0
        if key not in chosen:
            continue
        batch.append(key)
        filled += weight
        if alone:
            yield batch
            batch, filled = [], 0
    if batch:
        yield batch


def _size_here(shop: Workshop, document: Document) -> int:
    """Bytes of a file nobody has looked at yet; nothing is known of others."""
    if is_url(document.source or "") or document.given_sha256 is not None:
        return 1
    try:
        return max(located(document.path, shop.settings.upload_dir).stat(follow_symlinks=False).st_size, 1)
    except OSError:
        return 1
