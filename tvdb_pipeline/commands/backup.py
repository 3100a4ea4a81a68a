"""`tvdb backup`, `tvdb restore` and `tvdb drill`.

Belongs here: their arguments and answers. Does not: copying (`operations.backup`).
"""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import Settings, load_settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Folder = Annotated[Path | None, typer.Argument(metavar="DIR", help="A folder of backups; TVDB_BACKUP_DIR without.")]


def backup(
    folder: Folder = None,
    keep: Annotated[int, typer.Option(min=0, help="Keep so many whole backups; 0: all.")] = 0,
    json: Json = False,
) -> None:
    """Copy database, artifacts and Dagster's history as of one moment, while work goes on."""
    from tvdb_pipeline.database.pools import Database, database_url
    from tvdb_pipeline.operations.backup.copying import back_up

    settings = load_settings()
    url = database_url(settings)
    Database(url).open().close()
    done = back_up(settings, url, _folder(settings, folder), keep)
    if json:
        print(json_.dumps({**asdict(done), "folder": str(done.folder)}))
        return
    absent = f" {done.absent} artifacts were not there; they are made again from the uploads." if done.absent else ""
    print(
        f"{done.folder}: {done.documents} documents and {done.artifacts} artifacts as of {done.taken_at}, "
        f"{done.bytes / 1e6:.1f} MB in {done.seconds:.1f} s.{absent}"
    )


def restore(folder: Folder = None, json: Json = False) -> None:
    """Read a backup, or the newest in a folder, back into an empty database and an empty TVDB_HOME."""
    from tvdb_pipeline.database.pools import database_url
    from tvdb_pipeline.operations.backup.restoring import restore as read_back

    settings = load_settings()
    done = read_back(settings, database_url(settings), _folder(settings, folder))
    if json:
        print(json_.dumps(asdict(done)))
        return
    erased = f" {done.erased} documents that had been erased since were erased again." if done.erased else ""
    print(
        f"{done.documents} documents and {done.artifacts} artifacts are as they were at {done.taken_at} (recovery point: "
        f"{done.age_seconds:.0f} s ago; recovery time: {done.seconds:.1f} s). {done.charged} requests under way then count as "
        f"spent, {done.runs} Dagster runs were ended. What is newer is taken up again from the upload folder.{erased}"
    )


def drill(folder: Folder = None, json: Json = False) -> None:
    """Restore the newest backup beside the running system, compare everything, and take it down. Exit code 3 if it differs."""
    from tvdb_pipeline.database.pools import database_url
    from tvdb_pipeline.operations.backup.drill import drill as hold

    settings = load_settings()
    done = hold(settings, database_url(settings), _folder(settings, folder))
    if json:
        print(json_.dumps(asdict(done)))
    else:
        for what, before, after in done.rows:
            print(f"{what:28} {before:>12} {after:>12}  {'equal' if before == after else 'DIFFERS'}")
        print(f"The backup of {done.taken_at} {'can' if done.passed else 'CANNOT'} be restored; {done.seconds:.1f} s.")
    raise typer.Exit(0 if done.passed else 3)


def _folder(settings: Settings, given: Path | None) -> Path:
    if given is None and settings.backup_dir is None:
        raise TvdbError("no_folder", "Name a folder, or set TVDB_BACKUP_DIR.")
    return given or settings.backup_dir or Path()
