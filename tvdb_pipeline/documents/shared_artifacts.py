"""Artifacts in object storage, shared by machines; on each, copies of those it works with.

Belongs here: bringing them here, handing them on, and dropping copies. Does not: reading or writing objects (`storage`). An
artifact counts as kept once it is in storage; the copy of this machine comes after it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from tvdb_pipeline.documents.artifacts import STALE_SECONDS, ArtifactStore, disk_refused, name_of
from tvdb_pipeline.documents.stages import STAGES, Stage
from tvdb_pipeline.privacy.modes import private_folder
from tvdb_pipeline.storage.bucket import Bucket

UNUSED_SECONDS = 3600.0
"""A copy nobody used for so long is dropped: also that of a document another machine erased."""


class SharedArtifacts(ArtifactStore):
    """As `ArtifactStore`; every method that asks storage raises StorageAway.

    root: folder of this machine for copies; bucket: where artifacts are kept.
    """

    def __init__(self, root: Path, bucket: Bucket) -> None:
        super().__init__(root)
        self._copies = root
        self._bucket = bucket

    def at_hand(self, stage: Stage, version: str) -> Path:
        """The copy of this machine; where the artifact is nowhere, the path of no file."""
        copy = self.path(stage, version)
        try:
            os.utime(copy)
        except FileNotFoundError:
            self._bring(stage, version, copy)
        return copy

    def has(self, stage: Stage, version: str) -> bool:
        """Whether it was stored by any machine."""
        if self.path(stage, version).exists():
            return True
        try:
            self._bucket.head(name_of(stage, version))
        except FileNotFoundError:
            return False
        return True

    def get(self, stage: Stage, version: str) -> bytes | None:
        """What any machine stored, or None. One that is damaged in storage is removed there, so that it is made again."""
        copy = self.at_hand(stage, version)
        try:
            return zlib.decompress(copy.read_bytes())
        except FileNotFoundError:
            return None
        except zlib.error:
            self.remove(stage, version)
            return None

    def sweep(self, seconds: float = STALE_SECONDS) -> int:
        """As there; and drop copies that were not used for UNUSED_SECONDS."""
        oldest = time.time() - UNUSED_SECONDS
        for stage in STAGES:
            for copy in (self._copies / stage).glob("*/*"):
                with suppress(FileNotFoundError):
                    if copy.stat().st_mtime < oldest:
                        copy.unlink()
        return super().sweep(seconds)

    def older_than(self, seconds: float) -> list[tuple[Stage, str]]:
        """(stage, data version) of every artifact that was stored so long ago: a request for each thousand there are."""
        found: list[tuple[Stage, str]] = []
        latest = datetime.now(UTC) - timedelta(seconds=seconds)
        for page in self._bucket.pages():
            for artifact in page:
                stage, _, rest = artifact.name.partition("/")
                if stage in STAGES and artifact.modified < latest:
                    found.append((stage, rest.rpartition("/")[2]))
        return found

    def remove(self, stage: Stage, version: str) -> None:
        """Forget the artifact if it is there: in storage, then here."""
        self._bucket.remove(name_of(stage, version))
        super().remove(stage, version)

    def prove(self) -> None:
        """Write, read and remove an object under a name no artifact has; raises StorageAway where one of these cannot be done."""
        name = f"proof/{uuid4().hex}"
        self._bucket.create(name, b"0")
        try:
            b"".join(self._bucket.blocks(name))
        finally:
            self._bucket.remove(name)

    def hand_on(self) -> None:
        """As there: what storage lacks of it."""
        for stage in STAGES:
            for copy in (self._copies / stage).glob("*/*"):
                self._publish(stage, copy.name, copy)

    def _publish(self, stage: Stage, version: str, file: Path) -> None:
        # Named by what is in it or by what it was made of: one that is there already is the same.
        self._bucket.create(name_of(stage, version), file)

    def _bring(self, stage: Stage, version: str, copy: Path) -> None:
        private_folder(self._incoming)
        with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as file:
            try:
                hasher = hashlib.sha256()
                for block in self._bucket.blocks(name_of(stage, version)):
                    hasher.update(block)
                    file.write(block)
                file.flush()
                if stage == "raw_file" and hasher.hexdigest() != version:
                    # Not the bytes it is named by: as good as absent, so that it is kept anew.
                    self._bucket.remove(name_of(stage, version))
                    return
                private_folder(copy.parent)
                Path(file.name).replace(copy)
            except FileNotFoundError:
                return
            except OSError as error:
                raise disk_refused(error) from None
            finally:
                Path(file.name).unlink(missing_ok=True)
