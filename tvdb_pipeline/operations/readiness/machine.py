"""This machine: folders, disk, memory, and what confines the reading of strangers' files.

Belongs here: what is measured on the machine the question is asked on. Does not: other machines.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tvdb_pipeline.documents.artifacts import open_store
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.parsing.process import ParserProcess
from tvdb_pipeline.settings import Settings
from tvdb_pipeline.storage.urls import open_bucket

LEAST_FREE_BYTES = 2 << 30
"""Of the disk under TVDB_HOME: ten documents of the largest size admitted."""
SERVERS_BYTES, READER_BYTES = 1 << 30, 1 << 29
"""What the servers take together, and one parsing process with its models; measured, with something over."""
_AREA = "machine"


def rows(settings: Settings) -> Iterator[Finding]:
    """Folders, object storage, disk, memory."""
    yield _uploads(settings)
    if settings.artifact_url is not None:
        yield _artifacts(settings)
    writable = _written(settings.home)
    yield Finding(_AREA, "home", writable, "a file was written" if writable else "TVDB_HOME cannot be written to")
    free = shutil.disk_usage(_existing(settings.home)).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding(_AREA, "disk", enough, f"{free / (1 << 30):.1f} GiB free under TVDB_HOME, 2 wanted")
    yield _memory(settings)


def _uploads(settings: Settings) -> Finding:
    if settings.upload_url is not None:
        try:
            next(open_bucket(settings.upload_url, allow_http=settings.storage_allow_http).pages(), None)
        except TvdbError as error:
            return Finding(_AREA, "uploads", False, f"TVDB_UPLOAD_URL: {error.message}")
        return Finding(_AREA, "uploads", True, "TVDB_UPLOAD_URL was listed")
    uploads, made = settings.upload_dir, settings.upload_dir.exists()
    if not made and settings.env == "development":
        return not_needed(_AREA, "uploads", "TVDB_UPLOAD_DIR is not there yet: tvdb dev makes it")
    readable = os.access(uploads, os.R_OK | os.X_OK)
    evidence = "can be read" if readable else "TVDB_UPLOAD_DIR is not there or cannot be read"
    return Finding(_AREA, "uploads", readable, evidence)


def _artifacts(settings: Settings) -> Finding:
    try:
        open_store(settings).prove()
    except TvdbError as error:
        return Finding(_AREA, "artifacts", False, f"TVDB_ARTIFACT_URL: {error.message}")
    return Finding(_AREA, "artifacts", True, "under TVDB_ARTIFACT_URL an object was written, read and removed")


def confinement(settings: Settings) -> Iterator[Finding]:
    """What confines a process that reads documents, told by such a process."""
    execute = settings.ocr_engine == "tesseract" or settings.pdf_engine in ("ocr_only", "hi_res")
    process = ParserProcess(settings.parse_memory_mb, may_execute=execute)
    process.kill()
    for measure in process.measures:
        yield Finding("parsing", measure.name, measure.in_force, measure.detail)


def _memory(settings: Settings) -> Finding:
    """What the machine has, not what is free now: the readers that are running already would be counted twice."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    stated = limit.read_text().strip() if limit.exists() else "max"
    total = min(total, int(stated)) if stated.isdecimal() else total
    wanted = SERVERS_BYTES + settings.worker_count * READER_BYTES
    shown = (
        f"{total / (1 << 30):.1f} GiB, {wanted / (1 << 30):.1f} wanted for {settings.worker_count} parsing processes"
    )
    return Finding(_AREA, "memory", total >= wanted, shown)


def _written(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)) as file:
            file.write(b"0")
    except OSError:
        return False
    return True


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
