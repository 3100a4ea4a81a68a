"""Which files under a path are documents.

Belongs here: walking folders and the rules of what counts as a document. Does not: judging what is inside a file.
A folder that cannot be read raises; it is never taken for an empty one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from tvdb_pipeline.errors import TvdbError

IGNORE_FILE = ".tvdbignore"
_DEEPEST = 100
"""Levels of folders looked into: deeper ones are made to make programs fall over, and their paths end by not being openable."""
_UNFINISHED = (".part", ".tmp")


class FoundFile(NamedTuple):
    """A file and what `stat` says of it: size in bytes, modification time in nanoseconds, device and inode."""

    path: Path
    bytes: int
    mtime_ns: int


def discover(path: Path) -> list[FoundFile]:
    """The documents at `path` (a file, or a folder with all below it), sorted by path.

    Not documents: dotfiles, names ending in .part or .tmp, links, what lies over 100 folders deep, and names matching a pattern
    in a `.tvdbignore` file of the same folder (one fnmatch pattern a line, `#` comments). Raises TvdbError(`not_found` |
    `unreadable_folder`).
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISDIR(mode):
            return [_found(path)]
        return sorted(_walk(path))
    except FileNotFoundError:
        raise TvdbError("not_found", "The path does not exist; check its spelling.") from None
    except OSError as error:
        raise TvdbError(
            "unreadable_folder",
            f"The folder cannot be read (errno {error.errno}); nothing was changed. Check its permissions or mount.",
            retryable=True,
        ) from None


def is_document(name: str) -> bool:
    """Whether an object of this name below the URL of the uploads is a document, by the rules for files."""
    parts = name.split("/")
    hidden = any(part.startswith(".") or not part for part in parts)
    return not hidden and len(parts) <= _DEEPEST and not name.lower().endswith(_UNFINISHED)


def _walk(root: Path) -> Iterator[FoundFile]:
    folders = [(root, 0)]
    while folders:
        folder, depth = folders.pop()
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST:
                    folders.append((Path(entry.path), depth + 1))
            elif entry.is_file(follow_symlinks=False) and not entry.name.lower().endswith(_UNFINISHED):
                # A file may go while its folder is read; that is no reason to give up on the others.
                with suppress(FileNotFoundError):
                    info = entry.stat(follow_symlinks=False)
                    yield FoundFile(Path(entry.path), info.st_size, info.st_mtime_ns)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What a folder holds, without what is not to be seen."""
    patterns = _ignored(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and not any(fnmatch(entry.name, pattern) for pattern in patterns):
                yield entry


def _ignored(folder: Path) -> list[str]:
    try:
        lines = (folder / IGNORE_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _found(path: Path) -> FoundFile:
    info = path.stat(follow_symlinks=False)
    if not stat.S_ISREG(info.st_mode):
        raise TvdbError("not_a_file", "Only regular files and folders can be ingested; links are not followed.")
    return FoundFile(path, info.st_size, info.st_mtime_ns)
