"""The first stage: judge the file by size and first bytes, and keep a copy.

Belongs here: stage raw_file of one document. Does not: decoding anything.
"""

from __future__ import annotations

from tvdb_pipeline.documents.admission import HEAD_BYTES, admit
from tvdb_pipeline.documents.stages import data_versions
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest import figures
from tvdb_pipeline.ingest.fingerprints import fingerprints
from tvdb_pipeline.ingest.sources import source_name, source_of
from tvdb_pipeline.ingest.work import Read, Work, failed_stage, passed_stage, upstream_missing
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.waypoints import passed


def keep(shop: Workshop, work: Work, *, selected: bool) -> Read:
    """Stage raw_file: judge the file, and keep a copy under its content hash.

    Not selected: take the copy of last time; TvdbError(`upstream_missing`) in the result where there is none.
    """
    try:
        digest = _admitted(shop, work) if selected else _known(shop, work)
    except OSError as error:
        refusal = TvdbError(
            "unreadable", f"The file cannot be read (errno {error.errno}); check its permissions.", retryable=True
        )
        return work, [failed_stage(work, "raw_file", refusal)], refusal
    except TvdbError as refusal:
        return work, [failed_stage(work, "raw_file", refusal)], refusal
    marks = fingerprints(shop.settings, shop.embedding.client.model, work.media_type)
    work.versions = data_versions(digest, marks)
    return work, [passed_stage(work, "raw_file", figures.of_raw_file(work, digest))] if selected else [], None


def _admitted(shop: Workshop, work: Work) -> str:
    """The content hash of a file fit to be read, a copy of which is kept. Raises OSError, TvdbError."""
    attached = work.document.given_sha256
    if attached is not None and not shop.artifacts.has("raw_file", attached):
        raise TvdbError(
            "attachment_gone",
            "The attachment is no longer kept; run its message again, which brings it back.",
            retryable=True,
        )
    source = source_of(shop, work.document)
    seen = source.glimpse(HEAD_BYTES)
    work.mark = seen.mark
    cap = shop.settings.max_document_mb << 20
    work.media_type = admit(seen.head, seen.bytes, source_name(work.document), cap)
    digest, work.bytes = source.keep_in(shop.artifacts)
    passed("raw_file.kept")
    return digest


def _known(shop: Workshop, work: Work) -> str:
    known = work.document
    digest = known.content_sha256
    if digest is None or known.media_type is None or not shop.artifacts.has("raw_file", digest):
        raise upstream_missing("raw_file")
    work.media_type, work.bytes = known.media_type, known.bytes or 0
    return digest
