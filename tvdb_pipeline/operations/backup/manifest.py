"""What a backup says of itself, written last: a folder without it is no backup.

Belongs here: its form, checksums, and finding the newest. Does not: copying anything.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tvdb_pipeline.errors import TvdbError

FILE = "manifest.json"
DUMP = "database.dump"
PARTIAL = ".partial"
_BLOCK = 1 << 20
Checksum = tuple[str, int]
"""SHA-256 of a file, 64 hex digits, and its bytes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """version: of this form; taken_at: of the snapshot, ISO 8601; migration: the last one applied.

    tables: rows and their digest, by schema and name; indexes: definitions by name; files: checksums by path within the backup;
    absent: artifacts that documents name and that were not there: they are made again from the uploads.
    """

    version: int
    taken_at: str
    migration: int
    tables: dict[str, tuple[int, str]]
    indexes: dict[str, str]
    files: dict[str, Checksum]
    absent: int = 0


def write(folder: Path, manifest: Manifest) -> None:
    """To disk, whole."""
    with (folder / FILE).open("x") as file:
        json.dump({**asdict(manifest), "own": _digest(manifest)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path) -> Manifest:
    """Raises TvdbError(`backup_damaged`, `no_backup`)."""
    try:
        body: dict[str, Any] = json.loads((folder / FILE).read_text())
        own = body.pop("own")
        body["tables"] = {name: (rows, digest) for name, (rows, digest) in body["tables"].items()}
        body["files"] = {name: (digest, size) for name, (digest, size) in body["files"].items()}
        manifest = Manifest(**body)
    except FileNotFoundError:
        raise TvdbError("no_backup", "There is no whole backup in this folder; nothing was touched.") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise damaged("the manifest") from None
    if own != _digest(manifest):
        raise damaged("the manifest")
    return manifest


def newest(folder: Path) -> Path:
    """The backup that `folder` is, or the newest whole one in it. Raises TvdbError(`no_backup`)."""
    if (folder / FILE).exists():
        return folder
    whole = whole_ones(folder)
    if not whole:
        raise TvdbError("no_backup", "There is no whole backup in this folder; nothing was touched.")
    return whole[-1]


def whole_ones(folder: Path) -> list[Path]:
    """Backups in `folder`, oldest first: their names are their times."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix != PARTIAL and (path / FILE).exists())


def verify(folder: Path, manifest: Manifest) -> None:
    """Raises TvdbError(`backup_damaged`) at the first file that is not what it was."""
    for name, wanted in manifest.files.items():
        try:
            found = checksum(folder / name)
        except OSError:
            raise damaged(_role(name)) from None
        if found != wanted:
            raise damaged(_role(name))


def checksum(file: Path) -> Checksum:
    """Of the whole file."""
    hasher, size = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            hasher.update(block)
            size += len(block)
    return hasher.hexdigest(), size


def damaged(what: str) -> TvdbError:
    """The refusal. what: the role of what does not match."""
    return TvdbError(
        "backup_damaged",
        f"This backup is damaged ({what} does not match its checksum); nothing was touched. Take another.",
    )


def _role(name: str) -> str:
    if name == DUMP:
        return "the copy of the database"
    return "an answer of the provider" if name.startswith("slips/") else f"an artifact of stage {name.split('/')[1]}"


def _digest(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(asdict(manifest), sort_keys=True).encode()).hexdigest()
