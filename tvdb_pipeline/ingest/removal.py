"""Removing documents and what was made of them.

Belongs here: rows, artifacts and, where asked, cached vectors. Does not: deciding which documents, or Dagster's partitions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.stages import Stage
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.vectorstore import rows
from tvdb_pipeline.waypoints import passed

_KEPT_STAGES: tuple[Stage, ...] = ("raw_file", "parsed_text", "chunks")


def remove(shop: Workshop, keys: Sequence[str], *, forget_vectors: bool) -> int:
    """Remove documents; the number of rows deleted. What another document shares (same bytes, same text) stays.

    forget_vectors: cached vectors of texts no other document holds go, too. Otherwise they stay, so that a renamed file
    costs nothing. The bill stays in any case.
    """
    documents = registry.load(shop.database, list(keys))
    with shop.database.connection() as conn:
        if forget_vectors:
            conn.execute(
                """DELETE FROM tvdb.embedding_cache c USING tvdb.document_texts t
                   WHERE t.document_key = ANY(%(keys)s) AND c.text_sha256 = t.text_sha256 AND NOT EXISTS (
                       SELECT 1 FROM tvdb.document_texts o
                       WHERE o.text_sha256 = t.text_sha256 AND o.document_key <> ALL(%(keys)s))""",
                {"keys": list(keys)},
            )
            conn.execute(
                """DELETE FROM tvdb.refused_texts c USING tvdb.document_texts t
                   WHERE t.document_key = ANY(%(keys)s) AND c.text_sha256 = t.text_sha256 AND NOT EXISTS (
                       SELECT 1 FROM tvdb.document_texts o
                       WHERE o.text_sha256 = t.text_sha256 AND o.document_key <> ALL(%(keys)s))""",
                {"keys": list(keys)},
            )
        deleted = rows.remove(conn, keys)
        passed("removal.rows_uncommitted")
        registry.mark_deleted(conn, keys)
    passed("removal.marked")
    for document in documents:
        drop_artifacts(shop, document.versions)
        if document.given_sha256 is not None:
            drop_artifacts(shop, {"raw_file": document.given_sha256})
        shop.shelf(document.key).forget()
    passed("removal.done")
    return deleted


def drop_artifacts(shop: Workshop, versions: Mapping[Stage, str]) -> None:
    """Remove the artifacts of these versions that no document has any longer."""
    for stage in _KEPT_STAGES:
        version = versions.get(stage)
        if version is not None and not _shared(shop, stage, version):
            shop.artifacts.remove(stage, version)


def _shared(shop: Workshop, stage: Stage, version: str) -> bool:
    return bool(
        shop.database.fetch(
            """SELECT 1 FROM tvdb.documents
               WHERE state <> 'deleted' AND (versions ->> %(stage)s = %(version)s
                   OR (given_sha256 = %(version)s AND %(stage)s = 'raw_file')) LIMIT 1""",
            {"stage": stage, "version": version},
        )
    )
