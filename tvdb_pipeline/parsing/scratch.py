"""The folders parsing processes write to: made, removed, and removed later where their owner was killed.

Belongs here: their life. Does not: who may write there (`sandbox`). Each is locked by the process that made it as long as that
one lives, so that one which belongs to nobody can be told.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "tvdb-parse-"
_OLD_SECONDS: Final = 60.0


class Scratch:
    """A folder `path` that can be given to another user, in one that stays ours and is locked. Raises OSError."""

    def __init__(self) -> None:
        self._outer = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            self._lock = _locked(self._outer)
            self.path = str(self._outer / "scratch")
            Path(self.path).mkdir(0o700)
            # Whoever the inner folder is given to has to get there.
            self._outer.chmod(0o711)
        except OSError:
            self._outer.rmdir()
            raise

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self._outer, ignore_errors=True)
        os.close(self._lock)


def remove_abandoned() -> None:
    """Remove those of this user that are a minute old and that no living process has locked."""
    for found in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            _remove_abandoned(found)


def _remove_abandoned(folder: Path) -> None:
    about = folder.lstat()
    if about.st_uid != os.geteuid() or time.time() - about.st_mtime < _OLD_SECONDS:
        return
    lock = _locked(folder)
    try:
        # It walks by descriptors and follows no link, whatever is put in its way meanwhile.
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _locked(folder: Path) -> int:
    """A descriptor that holds the lock. Raises OSError: locked by another, a link, no folder."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
