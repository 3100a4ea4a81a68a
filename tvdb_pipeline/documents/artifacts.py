"""Files kept under TVDB_HOME: the raw bytes and each stage's result, named by data version.

Belongs here: writing, reading and removing them. Does not: what is inside, or sharing them between machines (`shared_artifacts`).
The same bytes under two names, or a renamed file, share one artifact; a write is complete or absent (temporary file, fsync,
rename). Folders have mode 0700, files 0600.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tvdb_pipeline.documents.opening import open_regular
from tvdb_pipeline.documents.stages import STAGES, Stage
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.privacy.modes import private_folder
from tvdb_pipeline.settings import Settings
from tvdb_pipeline.storage.urls import open_bucket
from tvdb_pipeline.waypoints import passed

_BLOCK = 1 << 20
STALE_SECONDS = 3600.0
"""No copy of an upload takes as long between two blocks."""


class ArtifactStore:
    """Artifacts under one folder, as `<stage>/<first two hex>/<data version>`; those being written are in `.incoming`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"

    def path(self, stage: Stage, version: str) -> Path:
        """Where the artifact lies or would lie on this machine."""
        return self._root / name_of(stage, version)

    def at_hand(self, stage: Stage, version: str) -> Path:
        """The same, having brought it to this machine if it is elsewhere."""
        return self.path(stage, version)

    def has(self, stage: Stage, version: str) -> bool:
        """Whether it was stored."""
        return self.path(stage, version).exists()

    def put(self, stage: Stage, version: str, data: bytes) -> None:
        """Store `data`, compressed. Raises TvdbError(`disk`)."""
        try:
            with self._complete_or_absent(stage, version) as file:
                file.write(zlib.compress(data, 1))
        except OSError as error:
            raise disk_refused(error) from None

    def get(self, stage: Stage, version: str) -> bytes | None:
        """What `put` stored, or None. A damaged artifact counts as absent, so that it is made again."""
        with suppress(FileNotFoundError, zlib.error):
            return zlib.decompress(self.path(stage, version).read_bytes())
        return None

    def keep_file(self, source: Path) -> tuple[str, int]:
        """Copy a file in, uncompressed, under its content hash; (sha256 hex, size in bytes).

        Raises TvdbError: `still_growing` if it changed while being read, `unreadable`, `disk`.
        """
        try:
            before = source.stat(follow_symlinks=False)
            descriptor = open_regular(source)
        except FileNotFoundError:
            raise file_gone() from None
        except OSError as error:
            raise TvdbError(
                "unreadable", f"The file cannot be read (errno {error.errno}); check its permissions.", retryable=True
            ) from None
        with os.fdopen(descriptor, "rb") as file:
            digest, size = self.keep_blocks(iter(lambda: file.read(_BLOCK), b""))
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
            raise still_growing()
        return digest, size

    def keep_bytes(self, content: bytes) -> str:
        """Keep bytes that are no file of their own (an attachment) as `keep_file` does; their sha256 in hex."""
        digest = hashlib.sha256(content).hexdigest()
        if not self.has("raw_file", digest):
            try:
                with self._complete_or_absent("raw_file", digest) as file:
                    file.write(content)
            except OSError as error:
                raise disk_refused(error) from None
        return digest

    def keep_blocks(self, blocks: Iterable[bytes]) -> tuple[str, int]:
        """Keep bytes that come one by one; as `keep_file`. What reading them raises is raised, and nothing kept."""
        hasher, size = hashlib.sha256(), 0
        try:
            private_folder(self._incoming)
            with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as copy:
                try:
                    for block in blocks:
                        hasher.update(block)
                        size += len(block)
                        copy.write(block)
                    copy.flush()
                    os.fsync(copy.fileno())
                    passed("raw_file.copied")
                    self._publish("raw_file", hasher.hexdigest(), Path(copy.name))
                    target = self.path("raw_file", hasher.hexdigest())
                    private_folder(target.parent)
                    Path(copy.name).replace(target)
                except BaseException:
                    Path(copy.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise disk_refused(error) from None
        return hasher.hexdigest(), size

    def sweep(self, seconds: float = STALE_SECONDS) -> int:
        """Remove what was being written by processes that were killed: not touched for so long; how many files."""
        removed = 0
        oldest = time.time() - seconds
        for file in self._incoming.glob("*"):
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < oldest:
                    file.unlink()
                    removed += 1
        return removed

    def older_than(self, seconds: float) -> list[tuple[Stage, str]]:
        """(stage, data version) of every artifact that was stored so long ago."""
        found: list[tuple[Stage, str]] = []
        latest = time.time() - seconds
        for stage in STAGES:
            for file in (self._root / stage).glob("*/*"):
                with suppress(FileNotFoundError):
                    if file.stat().st_mtime < latest:
                        found.append((stage, file.name))
        return found

    def remove(self, stage: Stage, version: str) -> None:
        """Forget the artifact if it is there."""
        self.path(stage, version).unlink(missing_ok=True)

    def prove(self) -> None:
        """Ask those who must answer when an artifact is kept. Nobody, here."""

    def hand_on(self) -> None:
        """Give everybody what was laid under this folder from elsewhere (a backup)."""

    def _complete_or_absent(self, stage: Stage, version: str) -> _CompleteOrAbsent:
        return _CompleteOrAbsent(
            self.path(stage, version), self._incoming, lambda file: self._publish(stage, version, file)
        )

    def _publish(self, stage: Stage, version: str, file: Path) -> None:
        """Hand on what was written to the end, before it counts as kept."""


def name_of(stage: Stage, version: str) -> str:
    """The name of an artifact below the folder, or the URL, all are kept under."""
    return f"{stage}/{version[:2]}/{version}"


class _CompleteOrAbsent:
    """A file that appears under its name only when it was written to the end."""

    def __init__(self, target: Path, incoming: Path, publish: Callable[[Path], None]) -> None:
        self._target = target
        self._incoming = incoming
        self._publish = publish

    def __enter__(self) -> BinaryIO:
        private_folder(self._target.parent)
        private_folder(self._incoming)
        self._file = tempfile.NamedTemporaryFile(dir=self._incoming, delete=False)
        return self._file  # pyright: ignore[reportReturnType]

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._publish(Path(self._file.name))
                Path(self._file.name).replace(self._target)
        finally:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)


def file_gone() -> TvdbError:
    """The refusal of an upload that is no longer there."""
    return TvdbError("file_gone", "The file is no longer there; it will be removed at the next look.", retryable=True)


def still_growing() -> TvdbError:
    """The refusal of an upload that is not what it was a moment ago."""
    return TvdbError(
        "still_growing", "The file changed while it was read; it is taken up when it is whole.", retryable=True
    )


def open_store(settings: Settings) -> ArtifactStore:
    """The store the settings name: under TVDB_ARTIFACT_URL, else on this machine alone. Nothing is asked of a server yet."""
    folder = settings.home / "artifacts"
    if settings.artifact_url is None:
        return ArtifactStore(folder)
    bucket = open_bucket(settings.artifact_url, allow_http=settings.storage_allow_http)
    from tvdb_pipeline.documents.shared_artifacts import SharedArtifacts

    return SharedArtifacts(folder, bucket)


def disk_refused(error: OSError) -> TvdbError:
    """The refusal where this machine's disk takes nothing more."""
    return TvdbError(
        "disk",
        f"The artifact store cannot be written (errno {error.errno}); free space under TVDB_HOME.",
        retryable=True,
    )
