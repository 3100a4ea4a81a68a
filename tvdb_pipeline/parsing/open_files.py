"""Open files for a process that can open none by name.

Belongs here: making their descriptors. Does not: sending them (`frames`).
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def in_memory(data: bytes) -> int:
    """A file of these bytes that has no name. Raises OSError."""
    file = os.memfd_create("pages")
    try:
        with os.fdopen(os.dup(file), "wb") as writing:
            writing.write(data)
        os.lseek(file, 0, os.SEEK_SET)
    except BaseException:
        os.close(file)
        raise
    return file


def opened(path: Path) -> int:
    """A regular file, opened for the process that has no access to it by name. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file")
    return file
