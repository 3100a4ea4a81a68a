"""One look at uploads in object storage: some pages of their list, and what differs from the look before.

Belongs here: going through a large list bit by bit, and comparing. Does not: looking at a folder (`watching`).

An object appears whole, so nothing has to settle. Names come in order: whatever was known between the first and the last name of
a page, and is not on it, is gone. Removals wait for the end of the list, when it is known how many there are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.attachments import descendants
from tvdb_pipeline.documents.discovery import FoundFile, is_document
from tvdb_pipeline.documents.identity import object_identity
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.ingest.looking import Look, left_lying, lost, overdue, take_up
from tvdb_pipeline.ingest.planning import needs_run, register_named, suspicious
from tvdb_pipeline.ingest.sources import left_object
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.storage.refusals import UnlistableName

if TYPE_CHECKING:
    from tvdb_pipeline.storage.bucket import StoredObject

LIST_SECONDS = 5.0
"""How long one look lists; it ends with the page it is at. The daemon gives a sensor a minute, in which all others wait."""


def look_at_objects(shop: Workshop, url: str) -> Look:
    """Look at TVDB_UPLOAD_URL from where the last look stopped. Raises StorageAway: then nothing more is concluded."""
    until = time.monotonic() + LIST_SECONDS
    complete, unlisted = False, 0
    try:
        fresh, complete = _listed(shop, url, until)
    except UnlistableName:
        fresh, unlisted = _listed_by_folder(shop, url, until)
    take_up(shop, fresh)
    fresh += lost(shop, url, {document.key for document in fresh}, set())
    if not complete or not shop.settings.remove_missing:
        return Look(fresh, [], [], 0, unlisted)
    return _with_removals(shop, url, fresh)


def _listed(shop: Workshop, url: str, until: float) -> tuple[list[Document], bool]:
    """Documents that need a run, of the pages there was time for; and whether the list came to its end."""
    fresh: list[Document] = []
    after = _begun(shop, url)
    for page in shop.bucket(url).pages(after):
        last = page[-1].name
        before = _known(shop, url, after, last)
        fresh += _compared(shop, url, page, before)
        _missed(shop, url, before.keys() - {object_identity(found.name) for found in page})
        _reached(shop, url, last)
        after = last
        if time.monotonic() > until:
            return fresh, False
    _missed(shop, url, _known(shop, url, after, None))
    _reached(shop, url, None)
    return fresh, True


def _listed_by_folder(shop: Workshop, url: str, until: float) -> tuple[list[Document], int]:
    """The same where a name spoils the list; and how many folders are not seen. Nothing is concluded from what is missing."""
    fresh: list[Document] = []
    unlisted = 0
    for objects in shop.bucket(url).folders():
        if objects is None:
            unlisted += 1
        elif objects:
            names = [object_identity(found.name) for found in objects]
            rows = shop.database.fetch(
                "SELECT path, mark FROM tvdb.observations WHERE source = %s AND path = ANY(%s) AND gone_at IS NULL",
                (url, names),
            )
            fresh += _compared(shop, url, objects, {row[0]: row[1] for row in rows})
        if time.monotonic() > until:
            break
    return fresh, unlisted


def _with_removals(shop: Workshop, url: str, fresh: list[Document]) -> Look:
    known = registry.of_source(shop.database, url)
    rows = shop.database.fetch("SELECT path FROM tvdb.observations WHERE source = %s AND gone_at IS NOT NULL", (url,))
    paths = {row[0] for row in rows}
    missing = [document for document in known if document.path in paths]
    gone = [document.key for document in missing]
    if suspicious(len(gone), len(known)):
        return Look(fresh, [], gone, 0)
    if fresh or any(document.state in ("registered", "processing") for document in known):
        # A renamed object is missed under its old name before it is searchable under the new one.
        gone = overdue(shop, url, missing)
    return Look(fresh, [*gone, *descendants(shop.database, gone)], [], 0)


def _compared(
    shop: Workshop, url: str, page: Sequence[StoredObject], before: Mapping[str, str | None]
) -> list[Document]:
    """Those of these objects' documents that need a run; what was seen is remembered. before: path -> entity tag seen earlier."""
    objects = {object_identity(found.name): found for found in page if is_document(found.name)}
    unseen = {path: _as_file(found) for path, found in objects.items() if path not in before}
    left = left_lying(shop, unseen)
    changed = {path: found for path, found in objects.items() if path not in left and before.get(path) != found.mark}
    keys = register_named(shop, list(changed), url)
    documents = registry.load(shop.database, list(keys.values()))
    fresh = [document for document in documents if needs_run(shop, document, changed[document.path].mark)]
    _remember(shop, url, changed)
    return fresh


def _as_file(found: StoredObject) -> FoundFile:
    left = left_object(found)
    return FoundFile(PurePosixPath(found.name), left.bytes, left.mtime_ns)  # pyright: ignore[reportArgumentType]


def _begun(shop: Workshop, url: str) -> str:
    """Where the last look stopped; empty for the beginning."""
    rows = shop.database.fetch(
        """INSERT INTO tvdb.listings (source) VALUES (%s) ON CONFLICT (source) DO UPDATE SET source = excluded.source
           RETURNING after""",
        (url,),
    )
    return rows[0][0]


def _reached(shop: Workshop, url: str, after: str | None) -> None:
    """Note the last name seen; None: the list is at its end, and the next look begins anew."""
    shop.database.run(
        """UPDATE tvdb.listings SET after = coalesce(%(after)s, ''),
               completed_at = CASE WHEN %(after)s::text IS NULL THEN now() ELSE completed_at END WHERE source = %(source)s""",
        {"after": after, "source": url},
    )


def _known(shop: Workshop, url: str, after: str, last: str | None) -> dict[str, str | None]:
    """path -> entity tag of those seen earlier whose names lie after `after` and not after `last`; None: to the end."""
    rows = shop.database.fetch(
        """SELECT path, mark FROM tvdb.observations WHERE source = %(source)s AND gone_at IS NULL
               AND path COLLATE "C" > %(after)s AND (%(last)s::text IS NULL OR path COLLATE "C" <= %(last)s)""",
        {"source": url, "after": object_identity(after), "last": last and object_identity(last)},
    )
    return {row[0]: row[1] for row in rows}


def _remember(shop: Workshop, url: str, changed: Mapping[str, StoredObject]) -> None:
    with shop.database.connection() as conn, conn.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO tvdb.observations (path, source, bytes, mtime_ns, settled, mark) VALUES (%s, %s, %s, %s, true, %s)
               ON CONFLICT (path) DO UPDATE SET source = excluded.source, bytes = excluded.bytes, settled = true,
                   mtime_ns = excluded.mtime_ns, mark = excluded.mark, gone_at = NULL""",
            [(path, url, *left_object(found), found.mark) for path, found in changed.items()],
        )


def _missed(shop: Workshop, url: str, paths: Iterable[str]) -> None:
    shop.database.run(
        """UPDATE tvdb.observations SET gone_at = now() WHERE source = %s AND path = ANY(%s) AND gone_at IS NULL""",
        (url, list(paths)),
    )
