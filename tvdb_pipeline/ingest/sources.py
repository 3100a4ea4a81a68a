"""Where the bytes of a document come from: its file, or what is kept of the message it was attached to.

Belongs here: that choice, and telling whether they are there. Does not: keeping copies (`reading`), or finding files.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from tvdb_pipeline.documents.identity import located
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.ingest.workshop import Workshop


def source_file(shop: Workshop, document: Document) -> Path:
    """The file to read."""
    if document.given_sha256 is not None:
        return shop.artifacts.path("raw_file", document.given_sha256)
    return located(document.path, shop.settings.upload_dir)


def source_name(document: Document) -> str:
    """The name the file came under; an attachment's is not that of the file it is kept in."""
    return PurePath(document.path).name


def is_there(shop: Workshop, document: Document) -> bool:
    """Whether there is anything to read."""
    return source_file(shop, document).exists()
