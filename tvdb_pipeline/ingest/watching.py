"""One look at the upload folder: what settled, what waits, what is gone.

Belongs here: remembering the last look and comparing. Does not: object storage (`object_watching`), or asking for runs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.attachments import descendants
from tvdb_pipeline.documents.discovery import FoundFile, discover
from tvdb_pipeline.documents.identity import identity
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.ingest.looking import Look, left_lying, lost, overdue, take_up
from tvdb_pipeline.ingest.planning import needs_run, register_files, settled, suspicious
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.workshop import Workshop

LOOK_SECONDS = 0.5
"""How long one look compares settled files with what is stored; the others are compared at the next. The daemon gives a sensor
a minute, in which all others wait."""
_SLICE = 500
"""So many are registered and loaded at once: not all of a large folder for the few that there is time for."""


def look(shop: Workshop) -> Look:
    """Look at TVDB_UPLOAD_URL or TVDB_UPLOAD_DIR. Raises TvdbError where it cannot be read: then nothing is concluded."""
    if shop.settings.upload_url is not None:
        from tvdb_pipeline.ingest.object_watching import look_at_objects

        return look_at_objects(shop, shop.settings.upload_url)
    folder = shop.settings.upload_dir
    source = str(folder)
    files = {identity(file.path, folder): file for file in discover(folder)}
    rows = shop.database.fetch(
        "SELECT path, bytes, mtime_ns, settled FROM tvdb.observations WHERE source = %s", (source,)
    )
    before: dict[str, tuple[int, int, bool]] = {row[0]: (row[1], row[2], row[3]) for row in rows}
    for path in left_lying(shop, {path: file for path, file in files.items() if path not in before}):
        del files[path]
    ready, remembered = settled(before, [(path, file.bytes, file.mtime_ns) for path, file in files.items()])
    stale, later = _stale(shop, source, {path: files[path] for path in ready}, time.monotonic() + LOOK_SECONDS)
    # Not settled yet, as far as the next look is concerned.
    remembered |= {path: (*remembered[path][:2], False) for path in later}
    _remember(shop, source, before, remembered)
    known = registry.under(shop.database, source, source)
    growing = sum(1 for _, _, still in remembered.values() if not still)
    missing = [document for document in known if document.path not in files] if shop.settings.remove_missing else []
    gone = [document.key for document in missing]
    if suspicious(len(gone), len(known)):
        return Look(stale, [], gone, growing)
    if growing or stale or any(document.state in ("registered", "processing") for document in known):
        # A renamed file is missed under its old name before it is searchable under the new one.
        gone = overdue(shop, source, missing)
    return Look(stale, [*gone, *descendants(shop.database, gone)], [], growing)


def remove_gone(shop: Workshop, keys: Sequence[str]) -> None:
    """Let go of vanished documents. Their vectors stay in the cache for a while: a renamed file finds them there."""
    remove(shop, keys, "vanished")


def _stale(
    shop: Workshop, source: str, ready: Mapping[str, FoundFile], until: float
) -> tuple[list[Document], list[str]]:
    """Documents of files that settled now, if they differ from what is stored, and those of an earlier look that was lost.

    ready: by path. Second: the paths there was no time for, at most all but one.
    """
    fresh: list[Document] = []
    later: list[str] = []
    paths = list(ready)
    for first in range(0, len(paths), _SLICE):
        part = paths[first : first + _SLICE]
        named = register_files(shop, [ready[path] for path in part], source)
        for number, document in enumerate(registry.load(shop.database, list(named)), first):
            if number and time.monotonic() > until:
                later.append(document.path)
            elif needs_run(shop, document):
                fresh.append(document)
        if later:
            later += paths[first + _SLICE :]
            break
    take_up(shop, fresh)
    return fresh + lost(shop, source, {document.key for document in fresh}, set(later)), later


def _remember(
    shop: Workshop,
    source: str,
    before: dict[str, tuple[int, int, bool]],
    now: dict[str, tuple[int, int, bool]],
) -> None:
    changed = [(path, source, *seen) for path, seen in now.items() if before.get(path) != seen]
    with shop.database.connection() as conn, conn.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO tvdb.observations (path, source, bytes, mtime_ns, settled) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (path) DO UPDATE SET source = excluded.source, bytes = excluded.bytes,
                   mtime_ns = excluded.mtime_ns, settled = excluded.settled, gone_at = NULL""",
            changed,
        )
        cursor.execute(
            """UPDATE tvdb.observations SET gone_at = now(), settled = false
               WHERE source = %s AND path = ANY(%s) AND gone_at IS NULL""",
            (source, list(before.keys() - now.keys())),
        )
