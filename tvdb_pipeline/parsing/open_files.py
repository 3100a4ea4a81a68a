"""Open files for a process that can open none by name.

Belongs here: making files without a name. Does not: opening those that have one (`documents.opening`), or sending them
(`frames`).
"""

from __future__ import annotations

import os


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
