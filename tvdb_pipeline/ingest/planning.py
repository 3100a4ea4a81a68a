"""What is to be done about a set of files: which are new, changed, unchanged, or gone.

Belongs here: comparing files with the document table, registering, and the guard against mass removal. Does not: running
anything, or removing (`removal`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tvdb_pipeline.documents import attachments, registry
from tvdb_pipeline.documents.admission import HEAD_BYTES, admit
from tvdb_pipeline.documents.discovery import FoundFile, discover
from tvdb_pipeline.documents.identity import document_key, identity
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.documents.stages import data_versions
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.ingest.fingerprints import fingerprints
from tvdb_pipeline.ingest.sources import source_name, source_of
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.storage.refusals import StorageAway
from tvdb_pipeline.waypoints import passed

Place = Path | str
"""A file or folder, or a URL of object storage under TVDB_UPLOAD_URL."""
GUARD_COUNT, GUARD_SHARE = 10, 0.2
"""More than so many files and more than this part of a source gone at once look like a lost mount, not like deletions."""


@dataclass(slots=True)
class Plan:
    """keys: all documents named, in order; stale: those that need a run; gone: vanished from their folder; withheld: vanished,
    but not removed because too many vanished at once."""

    keys: list[str] = field(default_factory=list[str])
    stale: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    withheld: list[str] = field(default_factory=list[str])


def make_plan(shop: Workshop, places: Sequence[Place], *, accept_removals: bool = False) -> Plan:
    """Register what is new under these paths and URLs and compare the rest. Raises TvdbError where one cannot be read."""
    plan = Plan()
    marks: dict[str, str | None] = {}
    for place in places:
        found, known = _registered(shop, place)
        marks.update(found)
        if known is not None and shop.settings.remove_missing:
            gone = [document.key for document in known if document.key not in found]
            (plan.withheld if not accept_removals and suspicious(len(gone), len(known)) else plan.gone).extend(gone)
    plan.gone += attachments.descendants(shop.database, plan.gone)
    plan.keys = list(dict.fromkeys([*marks, *attachments.descendants(shop.database, marks)]))
    documents = {document.key: document for document in registry.load(shop.database, plan.keys)}
    plan.stale = [key for key in plan.keys if needs_run(shop, documents[key], marks.get(key))]
    passed("plan.made")
    return plan


def _registered(shop: Workshop, place: Place) -> tuple[dict[str, str | None], list[Document] | None]:
    """Register what lies there: key -> entity tag, None for files. Second: all documents known of a place that can lose some."""
    if isinstance(place, str):
        from tvdb_pipeline.ingest.listing import documents_below, register_objects

        return {key: found.mark for key, found in register_objects(shop, place).items()}, documents_below(shop, place)
    source = str(place.resolve()) if place.is_dir() else None
    keys = register_files(shop, discover(place), source)
    known = source and registry.under(shop.database, source, str(shop.settings.upload_dir))
    return dict.fromkeys(keys), known or None


def register_place(shop: Workshop, place: Place) -> list[str]:
    """Register what lies at a path or URL, and compare nothing; the keys."""
    return list(_registered(shop, place)[0])


def register_files(shop: Workshop, found: Sequence[FoundFile], source: str | None) -> dict[str, FoundFile]:
    """Register files as documents; key -> file, in the order given."""
    named = {identity(file.path, shop.settings.upload_dir): file for file in found}
    keys = register_named(shop, list(named), source)
    return {keys[path]: file for path, file in named.items()}


def register_named(shop: Workshop, paths: Sequence[str], source: str | None) -> dict[str, str]:
    """Register documents by their identities; identity -> key, in the order given."""
    # A document keeps its key for life, even if the style of keys is changed.
    known = registry.keys_of(shop.database, paths)
    keys = {path: known.get(path) or document_key(path, shop.settings.key_style) for path in paths}
    with shop.database.connection() as conn:
        registry.register(conn, [(key, path, source) for path, key in keys.items()])
    passed("plan.registered")
    return keys


def come_to_light(shop: Workshop, plan: Plan) -> list[str]:
    """What reading messages has brought to light since the plan was made: attachments new or changed, to be run, too.

    They are added to the plan's keys. One that a sensor's run has taken up meanwhile is among them: its end is waited for.
    """
    found = attachments.descendants(shop.database, plan.keys)
    plan.keys += [key for key in found if key not in set(plan.keys)]
    begun = ("registered", "processing")
    waiting = [document.key for document in registry.load(shop.database, found) if document.state in begun]
    return [key for key in waiting if key not in plan.stale]


def suspicious(gone: int, known: int) -> bool:
    """Whether so many files vanished at once that nothing is removed without being told to."""
    return gone > GUARD_COUNT and gone > GUARD_SHARE * known


def needs_run(shop: Workshop, document: Document, mark: str | None = None) -> bool:
    """Whether a run would change anything: unfinished, changed bytes, changed code or settings, or provisional vectors.

    mark: entity tag the object is listed with; an object of the same tag is not read again. Raises StorageAway.
    """
    if document.state not in ("ready", "partial", "rejected"):
        return True
    media_type, digest = document.media_type or "", document.content_sha256
    if mark is None or document.state == "rejected":
        try:
            media_type, digest = _seen(shop, document)
        except DocumentRefused as refusal:
            return document.error is None or document.error["code"] != refusal.code
        except StorageAway:
            raise
        except (OSError, TvdbError):
            return True
    elif mark != document.source_mark:
        return True
    if digest is None:
        return True
    expected = data_versions(digest, fingerprints(shop.settings, shop.embedding.client.model, media_type))
    if document.state == "rejected":
        return document.versions.get("raw_file") != digest or document.media_type != media_type
    return any(document.versions.get(stage) != version for stage, version in expected.items())


def _seen(shop: Workshop, document: Document) -> tuple[str, str | None]:
    """Media type and content hash of what is there now; no hash for an object whose entity tag is another."""
    source = source_of(shop, document)
    seen = source.glimpse(HEAD_BYTES)
    media_type = admit(seen.head, seen.bytes, source_name(document), shop.settings.max_document_mb << 20)
    if seen.mark is None:
        return media_type, source.sha256()
    return media_type, document.content_sha256 if seen.mark == document.source_mark else None


def settled(
    before: Mapping[str, tuple[int, int, bool]], now: Collection[tuple[str, int, int]]
) -> tuple[list[str], dict[str, tuple[int, int, bool]]]:
    """Which files stopped growing since the last look, and what to remember for the next.

    before: path -> (bytes, mtime_ns, settled); now: (path, bytes, mtime_ns). A file settles when two looks in a row see the
    same size and time; it is reported once.
    """
    ready: list[str] = []
    remembered: dict[str, tuple[int, int, bool]] = {}
    for path, size, mtime in now:
        seen = before.get(path)
        same = seen is not None and seen[:2] == (size, mtime)
        if same and seen is not None and not seen[2]:
            ready.append(path)
        remembered[path] = (size, mtime, same)
    return ready, remembered
