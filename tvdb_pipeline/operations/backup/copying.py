"""`tvdb backup`: a copy as of one moment, while work goes on.

Belongs here: the order of copying. Does not: reading it back (`restoring`). One transaction holds the moment: figures, the names
of the artifacts and the dump are all of its snapshot. Artifacts never change, but one may be dropped when a document changes
meanwhile: then the moment is taken anew.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from tvdb_pipeline.database.audit_trail import introduce
from tvdb_pipeline.documents import erasure_lists, tombstones
from tvdb_pipeline.documents.artifacts import open_store
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.backup import contents, tools
from tvdb_pipeline.operations.backup.manifest import (
    DUMP,
    FILE,
    PARTIAL,
    Checksum,
    Manifest,
    checksum,
    whole_ones,
    write,
)
from tvdb_pipeline.settings import Settings

_MOMENTS = 5
"""So often a moment is taken at most; what was dropped in the last one too is noted as absent, and made again after a restore."""


@dataclass(frozen=True, slots=True)
class Backup:
    """folder: of the backup; taken_at: its moment, ISO 8601; bytes: of all its files."""

    folder: Path
    taken_at: str
    seconds: float
    documents: int
    artifacts: int
    absent: int
    bytes: int
    removed: int


def back_up(settings: Settings, url: str, target: Path, keep: int = 0) -> Backup:
    """Copy database, artifacts and answers left behind into a folder of its own in `target`, beside the list of what was erased.

    keep: so many whole backups stay; 0: all. Raises TvdbError: `backup_tool`, `backup_folder`.
    """
    started = time.monotonic()
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in target.glob(f"*{PARTIAL}"):
            shutil.rmtree(left)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        folder = target / f"{stamp}{PARTIAL}"
        folder.mkdir(mode=0o700)
        manifest = _copy(settings, url, folder)
        write(folder, manifest)
        for path in folder.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(folder)
        whole = folder.rename(target / stamp)
        with psycopg.connect(url) as conn:
            # For older backups in this folder, too: they hold what was erased since.
            erasure_lists.add(target, tombstones.everything(conn))
        _sync(target)
    except OSError as error:
        raise TvdbError(
            "backup_folder",
            f"The backup cannot be written (errno {error.errno}); free space or choose another folder.",
            retryable=True,
        ) from error
    removed = _forget_old(target, keep) if keep else 0
    done = Backup(
        whole, manifest.taken_at, round(time.monotonic() - started, 3), manifest.tables["tvdb.documents"][0],
        sum(name.startswith("artifacts/") for name in manifest.files), manifest.absent,
        sum(size for _, size in manifest.files.values()), removed,
    )  # fmt: skip
    figures = {"seconds": done.seconds, "documents": done.documents, "artifacts": done.artifacts, "bytes": done.bytes}
    note(url, "backup", passed=True, figures=figures)
    return done


def note(url: str, kind: str, *, passed: bool, figures: dict[str, float]) -> None:
    """Write down that it happened, for `tvdb doctor`."""
    with psycopg.connect(url, autocommit=True) as conn:
        introduce(conn)
        conn.execute(
            "INSERT INTO tvdb.safekeeping (kind, passed, figures) VALUES (%s, %s, %s)",
            (kind, passed, json.dumps(figures)),
        )


def _copy(settings: Settings, url: str, folder: Path) -> Manifest:
    files: dict[str, Checksum] = {}
    for number in range(_MOMENTS):
        with psycopg.connect(url) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            conn.read_only = True
            row = conn.execute(
                "SELECT pg_export_snapshot(), now(), current_setting('server_version_num')::int"
            ).fetchone()
            assert row is not None
            snapshot, taken_at, server = row
            missing = _copy_artifacts(settings, contents.artifacts(conn), folder, files)
            if missing and number < _MOMENTS - 1 and _dropped(url, missing):
                continue
            tables, indexes, migration = contents.tables(conn), contents.indexes(conn), contents.migration(conn)
            command = [
                tools.program("pg_dump", server), "--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges",
                *(f"--schema={schema}" for schema in contents.SCHEMAS), f"--file={folder / DUMP}",
            ]  # fmt: skip
            tools.run(command, url)
        _copy_slips(settings, folder, files)
        files[DUMP] = checksum(folder / DUMP)
        return Manifest(1, taken_at.isoformat(), migration, tables, indexes, files, len(missing))
    raise AssertionError("the last moment is always kept")


def _copy_artifacts(
    settings: Settings, wanted: set[tuple[str, str]], folder: Path, files: dict[str, Checksum]
) -> set[tuple[str, str]]:
    """Those that are there and were not copied before; returns those that are not. Drops copies nothing names any more."""
    store = open_store(settings)
    names = {f"artifacts/{stage}/{version[:2]}/{version}": (stage, version) for stage, version in wanted}
    for name in [name for name in files if name not in names]:
        (folder / name).unlink()
        del files[name]
    missing: set[tuple[str, str]] = set()
    for name, (stage, version) in names.items():
        if name in files:
            continue
        try:
            files[name] = _copy_file(store.at_hand(stage, version), folder / name)  # pyright: ignore[reportArgumentType]
        except FileNotFoundError:
            missing.add((stage, version))
    return missing


def _copy_slips(settings: Settings, folder: Path, files: dict[str, Checksum]) -> None:
    for slip in sorted((settings.home / "slips").glob("*")):
        # Its answer may be booked by now.
        with suppress(FileNotFoundError):
            if slip.is_file():
                files[f"slips/{slip.name}"] = _copy_file(slip, folder / "slips" / slip.name)


def _copy_file(source: Path, copy: Path) -> Checksum:
    with source.open("rb") as opened:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("wb") as file:
            shutil.copyfileobj(opened, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
    return checksum(copy)


def _dropped(url: str, missing: set[tuple[str, str]]) -> bool:
    """Whether any of these went because its document changed. One that is named still was damaged, or never kept."""
    with psycopg.connect(url) as conn:
        return bool(missing - contents.artifacts(conn))


def _forget_old(target: Path, keep: int) -> int:
    old = whole_ones(target)[:-keep]
    for folder in old:
        # Without its manifest first: half of a backup must not be taken for a whole one.
        (folder / FILE).unlink()
        shutil.rmtree(folder)
    return len(old)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
