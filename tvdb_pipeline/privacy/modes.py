"""Who may read what is written: this user, nobody else.

Belongs here: making folders for oneself, and taking rights from those that were made wider. Does not: which folders there are.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

UMASK: Final = 0o077
FOLDER: Final = 0o700
_PASSED_THROUGH: Final = 0o710
_PASSED_BY_ALL: Final = 0o711


def private_folder(folder: Path) -> None:
    """Make a folder, with those missing above it, for this user only. One that is there stays as it is. Raises OSError."""
    with suppress(FileExistsError):
        try:
            folder.mkdir(FOLDER)
        except FileNotFoundError:
            private_folder(folder.parent)
            folder.mkdir(FOLDER)


def tighten(home: Path, uploads: Path) -> None:
    """Take the rights of others from what this user owns at the top of `home`: what lies below is then out of their reach.

    home: TVDB_HOME, which its group may still pass through (the embedded server's user has to), and everybody where uploads lie
    in it: that folder, and what leads to it, is never touched.
    """
    through = uploads.is_relative_to(home)
    _narrow(home, _PASSED_BY_ALL if through else _PASSED_THROUGH)
    with suppress(FileNotFoundError):
        for child in home.iterdir():
            if not uploads.is_relative_to(child):
                _narrow(child, FOLDER)


def _narrow(path: Path, most: int) -> None:
    # Somebody else's, or gone in the meantime.
    with suppress(PermissionError, FileNotFoundError):
        about = path.lstat()
        mode = stat.S_IMODE(about.st_mode)
        regular = stat.S_ISDIR(about.st_mode) or stat.S_ISREG(about.st_mode)
        if regular and about.st_uid == os.geteuid() and mode & ~most:
            path.chmod(mode & most)
