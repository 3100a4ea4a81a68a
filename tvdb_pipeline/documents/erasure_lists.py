"""Lists of what was erased, outside the database: a backup that is older than an erasure does not know of it.

Belongs here: reading and writing `erasures.jsonl`, in TVDB_HOME and beside backups. Does not: the table (`tombstones`). One line
of JSON for each erasure, with key, time and reason. Lines are only ever added; the last one of a key counts.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents.tombstones import Erasure, everything

FILE = "erasures.jsonl"
_KEY = re.compile("[a-z0-9-]{1,80}")


def write(database: Database, folders: Iterable[Path | None]) -> None:
    """Bring the list of each of these folders that is there up to date.

    One that cannot be written stays behind until the next time: what is erased is erased.
    """
    with database.connection() as conn:
        erasures = everything(conn)
    for folder in folders:
        if folder is not None and folder.is_dir():
            with suppress(OSError):
                add(folder, erasures)


def add(folder: Path, erasures: Iterable[Erasure]) -> None:
    """Add what the list of this folder lacks, to the disk. Raises OSError."""
    known = {erasure.key: erasure.erased_at for erasure in read(folder)}
    lacking = [erasure for erasure in erasures if erasure.key not in known or known[erasure.key] < erasure.erased_at]
    if not lacking:
        return
    lines = "".join(f"{json.dumps({**it._asdict(), 'erased_at': it.erased_at.isoformat()})}\n" for it in lacking)
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        # Half a line of a process that was killed ends here.
        torn = file.tell() > 0 and os.pread(descriptor, 1, file.tell() - 1) != b"\n"
        file.write(b"\n" * torn + lines.encode())
        file.flush()
        os.fsync(descriptor)


def read(folder: Path) -> list[Erasure]:
    """What the list of this folder says, the last line of each key; nothing where there is none. Raises OSError.

    A line that cannot be read is passed over.
    """
    found: dict[str, Erasure] = {}
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    for line in lines:
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            said = json.loads(line)
            reason = "vanished" if said.get("reason") == "vanished" else "command"
            if not _KEY.fullmatch(said["key"]):
                continue
            erasure = Erasure(said["key"], datetime.fromisoformat(said["erased_at"]).astimezone(UTC), reason)
            if erasure.key not in found or found[erasure.key].erased_at < erasure.erased_at:
                found[erasure.key] = erasure
    return list(found.values())


def united(folders: Iterable[Path | None]) -> list[Erasure]:
    """The lists of these folders as one: the latest erasure of each key."""
    found: dict[str, Erasure] = {}
    for erasure in (erasure for folder in folders if folder is not None for erasure in read(folder)):
        if erasure.key not in found or found[erasure.key].erased_at < erasure.erased_at:
            found[erasure.key] = erasure
    return list(found.values())
