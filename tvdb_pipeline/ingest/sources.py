"""Where the bytes of a document come from: a file, an object in storage, or what is kept of the message it was attached to.

Belongs here: that choice, and one way of reading them all. Does not: keeping copies (`documents.artifacts`), or finding them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tvdb_pipeline.documents.artifacts import ArtifactStore, file_gone, still_growing
from tvdb_pipeline.documents.identity import located, object_name
from tvdb_pipeline.documents.opening import open_regular
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.documents.tombstones import LeftFile
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.storage.refusals import ObjectChanged
from tvdb_pipeline.storage.urls import is_url

if TYPE_CHECKING:
    from tvdb_pipeline.storage.bucket import Bucket, StoredObject


class Glimpse(NamedTuple):
    """What is seen without reading all: the first bytes, the size in bytes, and the entity tag of an object."""

    head: bytes
    bytes: int
    mark: str | None = None


class Source(Protocol):
    """The bytes of one document. Reading them raises OSError, or TvdbError where that says more."""

    def glimpse(self, most: int) -> Glimpse:
        """Its first bytes, at most so many, and what is known of the whole."""
        ...

    def sha256(self) -> str:
        """The content hash, 64 hex digits."""
        ...

    def keep_in(self, store: ArtifactStore) -> tuple[str, int]:
        """Copy it into the store; (sha256 in hex, size in bytes)."""
        ...

    def lying(self) -> LeftFile:
        """Size and time by which it is known again if it is left lying."""
        ...


class FileSource:
    """A file of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def glimpse(self, most: int) -> Glimpse:
        size = self._path.stat(follow_symlinks=False).st_size
        with os.fdopen(open_regular(self._path), "rb") as file:
            return Glimpse(file.read(most), size)

    def sha256(self) -> str:
        with os.fdopen(open_regular(self._path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def keep_in(self, store: ArtifactStore) -> tuple[str, int]:
        return store.keep_file(self._path)

    def lying(self) -> LeftFile:
        info = self._path.stat(follow_symlinks=False)
        return LeftFile(info.st_size, info.st_mtime_ns)


class AttachedSource(FileSource):
    """A file that came attached to a message: kept already, under its content hash."""

    def __init__(self, store: ArtifactStore, sha256: str) -> None:
        super().__init__(store.at_hand("raw_file", sha256))
        self._sha256 = sha256

    def sha256(self) -> str:
        return self._sha256

    def keep_in(self, store: ArtifactStore) -> tuple[str, int]:
        return self._sha256, self._path.stat().st_size


class ObjectSource:
    """An object in storage: what is kept is what was glimpsed, or nothing."""

    def __init__(self, objects: Bucket, name: str) -> None:
        self._objects, self._name = objects, name
        self._seen: StoredObject | None = None

    def glimpse(self, most: int) -> Glimpse:
        try:
            self._seen = self._objects.head(self._name)
            return Glimpse(self._objects.beginning(self._seen, most), self._seen.bytes, self._seen.mark)
        except FileNotFoundError:
            raise file_gone() from None
        except ObjectChanged:
            raise still_growing() from None

    def sha256(self) -> str:
        hasher = hashlib.sha256()
        for block in self._blocks():
            hasher.update(block)
        return hasher.hexdigest()

    def keep_in(self, store: ArtifactStore) -> tuple[str, int]:
        return store.keep_blocks(self._blocks())

    def lying(self) -> LeftFile:
        return left_object(self._objects.head(self._name))

    def _blocks(self) -> Iterator[bytes]:
        try:
            yield from self._objects.blocks(self._name, self._seen.mark if self._seen else None)
        except FileNotFoundError:
            raise file_gone() from None
        except ObjectChanged:
            raise still_growing() from None


def left_object(found: StoredObject) -> LeftFile:
    """The size and time an object is known by if it is left lying."""
    return LeftFile(found.bytes, int(found.modified.timestamp() * 1e9))


def source_of(shop: Workshop, document: Document) -> Source:
    """Where to read this document. Raises StorageAway."""
    if document.given_sha256 is not None:
        return AttachedSource(shop.artifacts, document.given_sha256)
    if document.source is not None and is_url(document.source):
        return ObjectSource(shop.bucket(document.source), object_name(document.path))
    return FileSource(located(document.path, shop.settings.upload_dir))


def source_name(document: Document) -> str:
    """The name the file came under; an attachment's is not that of the file it is kept in."""
    return PurePath(document.path).name


def is_there(shop: Workshop, document: Document) -> bool:
    """Whether there is anything to read, as far as that can be told without a request."""
    if document.given_sha256 is not None:
        return shop.artifacts.has("raw_file", document.given_sha256)
    if document.source is not None and is_url(document.source):
        return True
    return located(document.path, shop.settings.upload_dir).exists()
