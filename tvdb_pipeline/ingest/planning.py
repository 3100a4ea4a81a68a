"""What is to be done about a set of files: which are new, changed, unchanged, or gone.

Belongs here: comparing files with the document table, registering, and the guard against mass removal. Does not: running
anything, or removing (`removal`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tvdb_pipeline.documents import attachments, registry
from tvdb_pipeline.documents.admission import HEAD_BYTES, admit
from tvdb_pipeline.documents.discovery import FoundFile, discover
from tvdb_pipeline.documents.identity import document_key, identity
from tvdb_pipeline.documents.opening import open_regular
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.documents.stages import data_versions
from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.ingest.fingerprints import fingerprints
from tvdb_pipeline.ingest.sources import source_file, source_name
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.waypoints import passed

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


def make_plan(shop: Workshop, paths: Sequence[Path], *, accept_removals: bool = False) -> Plan:
    """Register what is new under these paths and compare the rest. Raises TvdbError where a path cannot be read."""
    plan = Plan()
    files: dict[str, FoundFile] = {}
    for path in paths:
        found = discover(path)
        source = str(path.resolve()) if path.is_dir() else None
        keys = register_files(shop, found, source)
        files.update(keys)
        if source is not None and shop.settings.remove_missing:
            known = [document.key for document in registry.under(shop.database, source, str(shop.settings.upload_dir))]
            gone = [key for key in known if key not in keys]
            (plan.withheld if not accept_removals and suspicious(len(gone), len(known)) else plan.gone).extend(gone)
    plan.gone += attachments.descendants(shop.database, plan.gone)
    plan.keys = list(dict.fromkeys([*files, *attachments.descendants(shop.database, files)]))
    documents = {document.key: document for document in registry.load(shop.database, plan.keys)}
    plan.stale = [key for key in plan.keys if needs_run(shop, documents[key])]
    passed("plan.made")
    return plan


def register_files(shop: Workshop, found: Sequence[FoundFile], source: str | None) -> dict[str, FoundFile]:
    """Register files as documents; key -> file, in the order given."""
    settings = shop.settings
    named = {identity(file.path, settings.upload_dir): file for file in found}
    # A document keeps its key for life, even if the style of keys is changed.
    keys = {path: document_key(path, settings.key_style) for path in named} | registry.keys_of(
        shop.database, list(named)
    )
    with shop.database.connection() as conn:
        registry.register(conn, [(keys[path], path, source) for path in named])
    passed("plan.registered")
    return {keys[path]: file for path, file in named.items()}


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


def needs_run(shop: Workshop, document: Document) -> bool:
    """Whether a run would change anything: unfinished, changed bytes, changed code or settings, or provisional vectors."""
    if document.state not in ("ready", "partial", "rejected"):
        return True
    file, cap = source_file(shop, document), shop.settings.max_document_mb << 20
    try:
        with os.fdopen(open_regular(file), "rb") as opened:
            media_type = admit(opened.read(HEAD_BYTES), file.stat().st_size, source_name(document), cap)
            opened.seek(0)
            digest = document.given_sha256 or hashlib.file_digest(opened, "sha256").hexdigest()
    except DocumentRefused as refusal:
        return document.error is None or document.error["code"] != refusal.code
    except OSError:
        return True
    expected = data_versions(digest, fingerprints(shop.settings, shop.embedding.client.model, media_type))
    if document.state == "rejected":
        return document.versions.get("raw_file") != digest or document.media_type != media_type
    return any(document.versions.get(stage) != version for stage, version in expected.items())


def contiguous_ranges(order: Sequence[str], wanted: Collection[str], most: int) -> Iterator[list[str]]:
    """`wanted` as runs of neighbours in `order` (Dagster's order of insertion), each of at most `most` keys.

    A ranged run covers every key between its first and last, so only neighbours can share one.
    """
    chosen = set(wanted)
    batch: list[str] = []
    for key in order:
        if key in chosen and len(batch) < most:
            batch.append(key)
            continue
        if batch:
            yield batch
        batch = [key] if key in chosen else []
    if batch:
        yield batch


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
