"""The upload folder, compared with the documents: which files wait, and which are missing.

Belongs here: counting them. Does not: taking anything up (`ingest.watching` does), or naming a file to anybody.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tvdb_pipeline.database.pools import Connection
from tvdb_pipeline.documents.discovery import FoundFile, discover
from tvdb_pipeline.documents.identity import identity
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import suspicious
from tvdb_pipeline.operations.alerts.facts import Uploads
from tvdb_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class _Known:
    """A document of the folder. bytes, mtime_ns: of its file when last seen, as known; changed: its last end, Unix time."""

    bytes: int | None
    mtime_ns: int | None
    changed: float


def uploads(conn: Connection, settings: Settings) -> Uploads:
    """One look. A file waits for too long if it is new or changed and lay there like that for TVDB_ALERT_WAITING_SECONDS."""
    folder = settings.upload_dir
    try:
        files = {identity(file.path, folder): file for file in discover(folder)}
    except TvdbError as error:
        return Uploads(error=error.code)
    known = _known(conn, folder)
    gone = sum(1 for path in known if path not in files)
    withheld = gone if settings.remove_missing and suspicious(gone, len(known)) else 0
    return Uploads(None, _waiting(files, known, time.time() - settings.alert_waiting_seconds), len(known), withheld)


def _known(conn: Connection, folder: Path) -> dict[str, _Known]:
    """Documents by path. Those the sensor never looked at (`tvdb ingest` named them) have no modification time."""
    rows = conn.execute(
        """SELECT d.path, coalesce(o.bytes, d.bytes), o.mtime_ns, extract(epoch FROM d.updated_at)::float
           FROM tvdb.documents d LEFT JOIN tvdb.observations o ON o.path = d.path AND o.gone_at IS NULL
           WHERE d.state <> 'deleted' AND d.parent_key IS NULL
               AND (NOT starts_with(d.path, '/') OR starts_with(d.path, %s))""",
        (f"{folder}/",),
    )
    return {path: _Known(size, mtime_ns, changed) for path, size, mtime_ns, changed in rows}


def _waiting(files: Mapping[str, FoundFile], known: Mapping[str, _Known], before: float) -> int:
    """How many are new or changed, since before that Unix time.

    By the time of the last change to the entry: a copy may keep its modification time. One whose document came to an end after
    that was taken up, by whatever way.
    """
    number = 0
    for path, file in files.items():
        document = known.get(path)
        if document is None or _differs(file, document):
            with suppress(OSError):
                changed = file.path.stat(follow_symlinks=False).st_ctime
                number += changed <= before and (document is None or changed > document.changed)
    return number


def _differs(file: FoundFile, known: _Known) -> bool:
    return known.bytes not in (None, file.bytes) or known.mtime_ns not in (None, file.mtime_ns)
