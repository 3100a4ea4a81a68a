"""Objects under a URL.

Belongs here: listing, reading, writing and removing them, with conditions and checksums. Does not: what they hold, or keeping
copies on this machine. Credentials and regions come from where each provider's own tools have them (AWS_ACCESS_KEY_ID,
GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME, a role of the machine), never from our settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import from_url

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.storage.faults import named_faults
from tvdb_pipeline.storage.refusals import UnlistableName, no_folder

PAGE = 1000
"""Objects a request lists; S3's own most."""
_CONNECT_SECONDS, _REQUEST_SECONDS = 5, 300
_TRIES, _TRYING_SECONDS = 2, 15
"""Tried again by the library at once; longer outages are waited for by documents, not by processes."""
_BLOCK = 4 << 20


class StoredObject(NamedTuple):
    """name: below the URL; bytes; mark: entity tag, another for other bytes; modified: when it was written."""

    name: str
    bytes: int
    mark: str
    modified: datetime


class Bucket:
    """The objects under `url` (`s3://bucket/folder`). Raises TvdbError(`bad_setting`) for a URL that is none.

    allow_http: without TLS, for a server on this machine. Every method raises StorageAway.
    """

    def __init__(self, url: str, *, allow_http: bool = False) -> None:
        self.url, self._allow_http = url.rstrip("/"), allow_http
        self._folder = Path(unquote(urlsplit(self.url).path)) if url.startswith("file:") else None
        # What others of this process do must not fail because a file system is not mounted.
        self._opened: Any = None if self._folder else self._open()

    def pages(self, after: str = "", below: str = "") -> Iterator[list[StoredObject]]:
        """All objects whose names come after `after` by their bytes, in that order, a request's worth at a time.

        below: a folder of names; empty: all. Raises UnlistableName.
        """
        with named_faults():
            for page in obstore.list(self._store, below or None, offset=after or None, chunk_size=PAGE):
                yield [_stored(meta) for meta in page]

    def folders(self) -> Iterator[list[StoredObject] | None]:
        """The objects of each folder, for a list that a name makes unlistable: None for a folder it lies in, with all below it.

        Raises UnlistableName where that is the first one.
        """
        with named_faults():
            waiting = [obstore.list_with_delimiter(self._store)]
        while waiting:
            folder = waiting.pop()
            yield [_stored(meta) for meta in folder["objects"]]
            for name in sorted(folder["common_prefixes"], reverse=True):
                try:
                    with named_faults():
                        waiting.append(obstore.list_with_delimiter(self._store, name))
                except UnlistableName:
                    yield None

    def head(self, name: str) -> StoredObject:
        """What is known of one object without reading it. Raises FileNotFoundError."""
        with named_faults():
            return _stored(obstore.head(self._store, name))

    def beginning(self, found: StoredObject, most: int) -> bytes:
        """Its first bytes, at most so many. Raises ObjectChanged, FileNotFoundError."""
        if found.bytes == 0:
            return b""
        options: Any = {"if_match": found.mark, "range": (0, min(most, found.bytes))}
        with named_faults():
            return bytes(obstore.get(self._store, found.name, options=options).bytes())

    def blocks(self, name: str, mark: str | None = None) -> Iterator[bytes]:
        """Its bytes, in order. Raises FileNotFoundError; ObjectChanged where it no longer bears this mark."""
        with named_faults():
            answer = obstore.get(self._store, name, options={"if_match": mark} if mark else None)
            for block in answer.stream(min_chunk_size=_BLOCK):
                yield bytes(block)

    def create(self, name: str, content: bytes | Path) -> bool:
        """Write an object if there is none of this name; whether there was none. Whole or not at all."""
        with named_faults():
            try:
                obstore.put(self._store, name, content, mode="create")
            except AlreadyExistsError:
                return False
            return True

    def remove(self, name: str) -> None:
        """Remove an object if it is there."""
        with suppress(FileNotFoundError), named_faults():
            obstore.delete(self._store, name)

    @property
    def _store(self) -> Any:
        # Of a file system that is not mounted, the library would make the folder anew, on this machine alone.
        if self._folder is not None and not self._folder.is_dir():
            raise no_folder()
        self._opened = self._opened or self._open()
        return self._opened

    def _open(self) -> Any:
        # S3 compares a checksum of what arrives; the other two do so by themselves.
        config: Any = {"aws_checksum_algorithm": "SHA256"} if self.url.startswith("s3:") else None
        try:
            return from_url(
                self.url,
                config=config,
                client_options={
                    "allow_http": self._allow_http,
                    "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
                    "timeout": timedelta(seconds=_REQUEST_SECONDS),
                },
                retry_config={"max_retries": _TRIES, "retry_timeout": timedelta(seconds=_TRYING_SECONDS)},
            )
        except Exception as error:
            # The library's own kinds differ by provider; its words may quote a credential.
            raise TvdbError(
                "bad_setting",
                f"The storage URL is not understood ({type(error).__name__}); it is like s3://bucket/folder.",
            ) from None


def _stored(meta: Any) -> StoredObject:
    return StoredObject(meta["path"], meta["size"], meta["e_tag"], meta["last_modified"])
