"""What a look at the uploads finds, and what looks at folders and at object storage have in common.

Belongs here: the record, taking up, and files that were left lying. Does not: comparing (`watching`, `object_watching`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tvdb_pipeline.documents import registry, tombstones
from tvdb_pipeline.documents.discovery import FoundFile
from tvdb_pipeline.documents.identity import document_key
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.ingest.sources import is_there
from tvdb_pipeline.ingest.workshop import Workshop

MAX_GRACE_SECONDS = 600
"""How long vanished documents stay searchable while additions, one of which may be their new name, are under way."""


@dataclass(slots=True)
class Look:
    """stale: documents that need a run; gone: keys of vanished files; withheld: vanished, but too many at once; growing: files
    not taken up yet; unlisted: folders of object storage that cannot be listed."""

    stale: list[Document]
    gone: list[str]
    withheld: list[str]
    growing: int
    unlisted: int = 0


def take_up(shop: Workshop, fresh: Sequence[Document]) -> None:
    """Note that these are to be run. A change is reported once: should this look be lost, its document is still found waiting."""
    shop.database.run(
        "UPDATE tvdb.documents SET state = 'registered', attempts = 0 WHERE key = ANY(%s)",
        ([document.key for document in fresh],),
    )


def lost(shop: Workshop, source: str, chosen: Collection[str], waiting: Collection[str]) -> list[Document]:
    """Documents of the source that an earlier look took up and nobody ran.

    chosen: keys this look took up; waiting: paths it has not judged.
    """
    return [
        document
        for document in registry.resumable(shop.database, 0)
        if document.attempts == 0
        and document.key not in chosen
        and document.source == source
        and document.path not in waiting
        and is_there(shop, document)
    ]


def overdue(shop: Workshop, source: str, missing: Sequence[Document]) -> list[str]:
    """Keys of those missed for so long that they are let go of although additions are still under way."""
    rows = shop.database.fetch(
        "SELECT path FROM tvdb.observations WHERE source = %s AND gone_at < now() - make_interval(secs => %s)",
        (source, MAX_GRACE_SECONDS),
    )
    paths = {row[0] for row in rows}
    return [document.key for document in missing if document.path in paths]


def left_lying(shop: Workshop, unseen: Mapping[str, FoundFile]) -> set[str]:
    """Paths of files whose documents somebody deleted, and that lie there as they did then.

    unseen: files not remembered from the last look, by path; those left lying never are. Once one has gone or changed, whatever
    comes under its name is new.
    """
    left = tombstones.left_files(shop.database)
    if not left:
        return set()
    paths = {document_key(path, shop.settings.key_style): path for path in unseen}
    same = {key for key, mark in left.items() if key in paths and unseen[paths[key]][1:3] == mark}
    tombstones.forget_files(shop.database, left.keys() - same)
    return {paths[key] for key in same}
