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
from tvdb_pipeline.documents.discovery import FoundFile, discover, is_document
from tvdb_pipeline.documents.identity import identity, object_identity
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import suspicious
from tvdb_pipeline.operations.alerts.facts import Uploads
from tvdb_pipeline.settings import Settings
from tvdb_pipeline.storage.urls import open_bucket


@dataclass(frozen=True, slots=True)
class _Known:
    """A document of the folder. bytes, mtime_ns: of its file when last seen, as known; changed: its last end, Unix time."""

    bytes: int | None
    mtime_ns: int | None
    changed: float


def uploads(conn: Connection, settings: Settings) -> Uploads:
    """One look. A file waits for too long if it is new or changed and lay there like that for TVDB_ALERT_WAITING_SECONDS."""
    if settings.upload_url is not None:
        return _objects(conn, settings, settings.upload_url)
    folder = settings.upload_dir
    try:
        files = {identity(file.path, folder): file for file in discover(folder)}
    except TvdbError as error:
        return Uploads(error=error.code)
    known = _known(conn, folder)
    gone = sum(1 for path in known if path not in files)
    withheld = gone if settings.remove_missing and suspicious(gone, len(known)) else 0
    return Uploads(None, _waiting(files, known, time.time() - settings.alert_waiting_seconds), len(known), withheld)


def _objects(conn: Connection, settings: Settings, url: str) -> Uploads:
    """The same for uploads in object storage, as far as the first page of their list shows, and how far the sensor has looked."""
    before = time.time() - settings.alert_waiting_seconds
    try:
        page = next(open_bucket(url, allow_http=settings.storage_allow_http).pages(), [])
    except TvdbError as error:
        return Uploads(error=error.code)
    marks = {object_identity(found.name): found for found in page if is_document(found.name)}
    seen = conn.execute(
        "SELECT path, mark FROM tvdb.observations WHERE source = %s AND path = ANY(%s)", (url, list(marks))
    )
    now = {path: mark for path, mark in seen}
    waiting = sum(
        1 for path, found in marks.items() if now.get(path) != found.mark and found.modified.timestamp() <= before
    )
    row = conn.execute(
        """SELECT count(*), count(*) FILTER (WHERE o.gone_at IS NOT NULL) FROM tvdb.documents d
           LEFT JOIN tvdb.observations o ON o.path = d.path
           WHERE d.state <> 'deleted' AND d.parent_key IS NULL AND d.source = %s""",
        (url,),
    ).fetchone()
    known, gone = row or (0, 0)
    withheld = gone if settings.remove_missing and suspicious(gone, known) else 0
    return Uploads(None, waiting, known, withheld)


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
