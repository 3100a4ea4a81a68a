"""The objects under a URL, registered as documents.

Belongs here: listing all of them at once, for a command. Does not: the sensor's look, which lists some at a time
(`object_watching`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.discovery import is_document
from tvdb_pipeline.documents.identity import object_identity
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import register_named
from tvdb_pipeline.ingest.workshop import Workshop

if TYPE_CHECKING:
    from tvdb_pipeline.storage.bucket import StoredObject


def register_objects(shop: Workshop, url: str) -> dict[str, StoredObject]:
    """Register the objects at or below a URL under TVDB_UPLOAD_URL; key -> object.

    Raises TvdbError(`not_uploads` | `not_found`), StorageAway.
    """
    uploads, below = _within_uploads(shop, url)
    bucket = shop.bucket(uploads)
    found = [entry for page in bucket.pages(below=below) for entry in page]
    if below and not found:
        try:
            found = [bucket.head(below)]
        except FileNotFoundError:
            raise TvdbError("not_found", "Nothing lies under this URL; check its spelling.") from None
    objects = {object_identity(entry.name): entry for entry in found if is_document(entry.name)}
    keys = register_named(shop, list(objects), uploads)
    return {keys[path]: entry for path, entry in objects.items()}


def documents_below(shop: Workshop, url: str) -> list[Document]:
    """The documents whose objects lie, or lay, at or below a URL."""
    uploads, below = _within_uploads(shop, url)
    folder = object_identity(below)
    return [
        document
        for document in registry.of_source(shop.database, uploads)
        if not below or document.path == folder or document.path.startswith(f"{folder}/")
    ]


def _within_uploads(shop: Workshop, url: str) -> tuple[str, str]:
    """TVDB_UPLOAD_URL, and what of `url` is below it."""
    uploads, wanted = shop.settings.upload_url, url.rstrip("/")
    if uploads is None or not f"{wanted}/".startswith(f"{uploads}/"):
        raise TvdbError(
            "not_uploads",
            "Only what lies under TVDB_UPLOAD_URL can be read; set it to the bucket and folder of uploads.",
        )
    return uploads, wanted[len(uploads) + 1 :]
