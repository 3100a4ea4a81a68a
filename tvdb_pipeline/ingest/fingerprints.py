"""What each stage's result depends on besides its input.

Belongs here: the ingredients of the fingerprints. Does not: version arithmetic (`documents.stages`).
"""

from __future__ import annotations

from tvdb_pipeline.chunking.chunks import CHUNKING_VERSION
from tvdb_pipeline.chunking.cuts import MAX_CHUNK_TOKENS, WINDOW
from tvdb_pipeline.documents.stages import Stage, fingerprint
from tvdb_pipeline.embedding.models import DIMENSIONS
from tvdb_pipeline.parsing.parse import PARSING_VERSION
from tvdb_pipeline.redaction.redactor import REDACTION_VERSION
from tvdb_pipeline.settings import Settings

ROWS_VERSION = 1
"""Raised whenever the same vectors would give other rows."""


def fingerprints(settings: Settings, model: str, media_type: str = "") -> dict[Stage, str]:
    """The fingerprint of every stage but the first. media_type: because the name of a file chooses among text readers."""
    # Named only where it is on: vectors made before there was any stay what they are.
    redaction = {"redaction": REDACTION_VERSION} if settings.redact_before_embedding else {}
    return {
        "parsed_text": fingerprint(
            version=PARSING_VERSION, media_type=media_type, pdf=settings.pdf_engine, ocr=settings.ocr_engine
        ),
        "chunks": fingerprint(version=CHUNKING_VERSION, limit=MAX_CHUNK_TOKENS, window=WINDOW),
        "embeddings": fingerprint(model=model, dimensions=DIMENSIONS, **redaction),
        "vector_rows": fingerprint(version=ROWS_VERSION),
    }
