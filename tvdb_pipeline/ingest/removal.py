"""Erasing documents: nothing that was made of them stays but their key.

Belongs here: rows, artifacts, cached vectors, and the tombstone. Does not: deciding which documents, or Dagster's partitions and
events (`orchestration.forgetting`). Rows go in one transaction; files after it, and if the process is killed before they went, by
the next sweep (`sweeping`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.documents import erasure_lists, registry, tombstones
from tvdb_pipeline.documents.stages import Stage
from tvdb_pipeline.documents.tombstones import LeftFile, Reason
from tvdb_pipeline.ingest import forgetting
from tvdb_pipeline.ingest.sources import source_of
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.vectorstore import rows
from tvdb_pipeline.waypoints import passed

_KEPT_STAGES: tuple[Stage, ...] = ("raw_file", "parsed_text", "chunks")

ORPHAN_SECONDS = 86_400.0
"""An artifact that is so old and that no document names is nobody's: no walk takes as long."""
_BETWEEN_LOOKS_SECONDS = 3600.0


def remove(shop: Workshop, keys: Sequence[str], reason: Reason) -> int:
    """Erase documents; the number of rows deleted. What another document shares (same bytes, same text) stays, as does the bill.

    reason: `command` forgets cached vectors of texts no other document holds at once; after `vanished` they wait, so that a
    renamed file costs nothing.
    """
    if not keys:
        return 0
    if reason == "command":
        # Answers of killed processes come into the cache first: they are forgotten with the rest.
        shop.embedding.recover()
    left = _left_lying(shop, keys) if reason == "command" else {}
    forgotten: set[str] = set()
    with shop.database.connection() as conn:
        _tell_reason(conn, reason)
        deleted = rows.remove(conn, keys)
        passed("removal.rows_uncommitted")
        tombstones.add(conn, keys, reason, left)
        tombstones.hold_texts(conn, keys)
        if reason == "command":
            forgotten = forgetting.forget(conn, keys)
        conn.execute(
            "DELETE FROM tvdb.observations o USING tvdb.documents d WHERE o.path = d.path AND d.key = ANY(%s)",
            (list(keys),),
        )
        registry.mark_deleted(conn, keys)
    passed("removal.marked")
    forgetting.drop_slips(shop, forgotten)
    _finish(shop, keys)
    passed("removal.done")
    return deleted


def complete(shop: Workshop) -> None:
    """Do what comes after the transaction, for documents that were erased by a process that was killed right then."""
    found = shop.database.fetch(
        """SELECT DISTINCT document_key FROM tvdb.former_artifacts a JOIN tvdb.documents d ON d.key = a.document_key
           WHERE d.state = 'deleted'"""
    )
    if keys := [row[0] for row in found]:
        _finish(shop, keys)


def _finish(shop: Workshop, keys: Collection[str]) -> None:
    """Drop every artifact these erased documents ever had, where no other document has it, and pages kept; list them."""
    former = shop.database.fetch(
        "SELECT stage, version FROM tvdb.former_artifacts WHERE document_key = ANY(%s)", (list(keys),)
    )
    _drop_unnamed(shop, [(row[0], row[1]) for row in former])
    for key in keys:
        shop.shelf(key).forget()
    erasure_lists.write(shop.database, (shop.settings.home, shop.settings.backup_dir))
    shop.database.run("DELETE FROM tvdb.former_artifacts WHERE document_key = ANY(%s)", (list(keys),))


def drop_artifacts(shop: Workshop, versions: Mapping[Stage, str]) -> None:
    """Remove the artifacts of these versions that no document has any longer."""
    _drop_unnamed(shop, [(stage, version) for stage, version in versions.items() if stage in _KEPT_STAGES])


def drop_orphans(shop: Workshop) -> None:
    """Drop artifacts no document names: left by walks that were killed, and by versions that a refused one came after.

    Looks at all of them, so not more often than every hour; one that a walk is making now is younger than the grace.
    """
    mark = shop.settings.home / "orphans-dropped"
    with suppress(OSError):
        if mark.exists() and time.time() - mark.stat().st_mtime < _BETWEEN_LOOKS_SECONDS:
            return
        mark.touch(0o600)
    _drop_unnamed(shop, shop.artifacts.older_than(ORPHAN_SECONDS))
    for document in registry.load(shop.database, [shelf.name for shelf in (shop.settings.home / "pages").glob("*")]):
        if document.state == "deleted":
            shop.shelf(document.key).forget()
    shop.database.run(
        "DELETE FROM tvdb.former_artifacts WHERE since < now() - make_interval(secs => %s)", (2 * ORPHAN_SECONDS,)
    )


def _drop_unnamed(shop: Workshop, artifacts: Collection[tuple[Stage, str]]) -> None:
    for stage, version in registry.unnamed(shop.database, artifacts) if artifacts else ():
        shop.artifacts.remove(stage, version)


def _left_lying(shop: Workshop, keys: Sequence[str]) -> dict[str, LeftFile]:
    """Files of documents that are erased although they are still there."""
    left: dict[str, LeftFile] = {}
    for document in registry.load(shop.database, keys):
        if document.state != "deleted" and document.parent_key is None:
            with suppress(OSError):
                left[document.key] = source_of(shop, document).lying()
    return left


def _tell_reason(conn: Connection, reason: Reason) -> None:
    """For the record of who did what, which the transaction itself writes."""
    if reason == "vanished":
        conn.execute("SELECT set_config('tvdb.removal', 'vanished', true)")
