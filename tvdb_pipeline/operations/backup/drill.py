"""`tvdb drill`: whether the newest backup can really be read back, beside the system that runs.

Belongs here: restoring into a place of its own, comparing, and taking it down. Does not: destroying anything.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tvdb_pipeline.operations.backup import contents
from tvdb_pipeline.operations.backup.copying import note
from tvdb_pipeline.operations.backup.manifest import checksum, newest, read
from tvdb_pipeline.operations.backup.restoring import restore
from tvdb_pipeline.settings import Settings

_CHANGED = frozenset({"tvdb.schema_migrations", "tvdb.safekeeping", "tvdb.audit"})
"""Tables that a restore itself writes to, as every index and table of a migration is new."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """rows: (what, in the backup, restored) of everything compared; passed: whether all are equal."""

    passed: bool
    seconds: float
    taken_at: str
    rows: list[tuple[str, str, str]]


def drill(settings: Settings, url: str, source: Path) -> Drilled:
    """Restore the newest backup into a database and a home made for it. Raises what `restore` raises."""
    started = time.monotonic()
    folder = newest(source)
    manifest = read(folder)
    name = f"tvdb_drill_{uuid4().hex[:12]}"
    place = urlsplit(url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        with tempfile.TemporaryDirectory(prefix="tvdb-drill-") as home:
            apart = settings.model_copy(update={"home": Path(home), "artifact_url": None})
            with _environment_as_before():
                restored = restore(apart, place, folder, erase=False)
            rows = _compared(manifest.tables, manifest.indexes, place, Path(home), manifest.files)
    finally:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    passed = all(before == after for _, before, after in rows)
    seconds = round(time.monotonic() - started, 3)
    note(
        url,
        "drill",
        passed=passed,
        figures={"seconds": seconds, "restore_seconds": restored.seconds, "compared": len(rows)},
    )
    return Drilled(passed, seconds, manifest.taken_at, rows)


@contextmanager
def _environment_as_before() -> Generator[None]:
    """Opening Dagster's instance of the place sets variables that would lead what comes after there."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _compared(
    tables: dict[str, tuple[int, str]],
    indexes: dict[str, str],
    place: str,
    home: Path,
    files: dict[str, tuple[str, int]],
) -> list[tuple[str, str, str]]:
    with psycopg.connect(place) as conn:
        found, made = contents.tables(conn), contents.indexes(conn)
    rows = [
        (name, str(count), str(found.get(name, (0, ""))[0]))
        for name, (count, _) in tables.items()
        if name not in _CHANGED
    ]
    equal = sum(made.get(name) == definition for name, definition in indexes.items())
    rows.append(("indexes", str(len(indexes)), str(equal)))
    kept = {name: value for name, value in files.items() if name.startswith("artifacts/")}
    rows.append(("artifacts", str(len(kept)), str(sum(checksum(home / name) == value for name, value in kept.items()))))
    return rows
