"""Opening an upload: what lies in its place may not be what was found there.

Belongs here: the one way files of strangers are opened by this process. Does not: reading them.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def open_regular(path: Path) -> int:
    """A descriptor of a regular file, for reading. Raises OSError.

    A link is not followed, and a pipe nobody writes to does not make us wait.
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file")
    return file
