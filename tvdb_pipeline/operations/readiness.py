"""Whether this machine and these settings are fit for work: `tvdb doctor`.

Belongs here: one row a question, with its evidence, found by trying. Does not: mending anything, or printing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.process import ParserProcess
from tvdb_pipeline.settings import Settings

LEAST_FREE_BYTES = 2 << 30
"""Of the disk under TVDB_HOME: ten documents of the largest size admitted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row. area: what it is about; passed: fit; evidence: what was found, or what is missing and what it means."""

    area: str
    name: str
    passed: bool
    evidence: str


def findings(settings: Settings, open_database: Callable[[], Database]) -> list[Finding]:
    """All rows; a question that cannot be answered is not passed. Raises nothing for what is unfit."""
    return [*_database(open_database), *_folders(settings), *_sandbox(settings)]


def _database(open_database: Callable[[], Database]) -> Iterator[Finding]:
    try:
        database = open_database()
    except TvdbError as error:
        yield Finding("database", "reachable", False, error.message)
        return
    try:
        version = database.fetch("SELECT current_setting('server_version')")[0][0]
        vector = database.fetch("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        yield Finding("database", "reachable", True, f"PostgreSQL {version}")
        yield Finding(
            "database", "vectors", bool(vector), f"pgvector {vector[0][0]}" if vector else "pgvector is not installed"
        )
    finally:
        database.close()


def _folders(settings: Settings) -> Iterator[Finding]:
    readable = os.access(settings.upload_dir, os.R_OK | os.X_OK)
    yield Finding(
        "folders", "uploads", readable, "can be read" if readable else "TVDB_UPLOAD_DIR is not there or cannot be read"
    )
    free = shutil.disk_usage(_existing(settings.home)).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding("folders", "space", enough, f"{free / (1 << 30):.1f} GiB free under TVDB_HOME, 2 wanted")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _sandbox(settings: Settings) -> Iterator[Finding]:
    """What confines a process that reads documents, told by such a process."""
    execute = settings.ocr_engine == "tesseract" or settings.pdf_engine in ("ocr_only", "hi_res")
    try:
        process = ParserProcess(settings.parse_memory_mb, may_execute=execute)
    except TvdbError as error:
        yield Finding("parsing", "process", False, error.message)
        return
    process.kill()
    for measure in process.measures:
        yield Finding("parsing", measure.name, measure.in_force, measure.detail)
