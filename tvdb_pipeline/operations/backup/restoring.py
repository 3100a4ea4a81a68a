"""`tvdb restore`: a backup into an empty place.

Belongs here: checking, reading back, and what makes the past fit the present. Does not: making backups (`copying`).

Everything is verified before anything is touched. What the backup shows as reserved or on its way may have been billed since: it
counts as spent. Claims of processes of another time lapse, so that documents go on; those newer than the backup are found again
in the upload folder by the next look. What was erased since is erased again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tvdb_pipeline.database import roles
from tvdb_pipeline.database.migrations import migrate
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import erasure_lists, tombstones
from tvdb_pipeline.documents.artifacts import open_store
from tvdb_pipeline.documents.attachments import descendants
from tvdb_pipeline.documents.tombstones import Erasure
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.operations.backup import contents, tools
from tvdb_pipeline.operations.backup.copying import note
from tvdb_pipeline.operations.backup.manifest import DUMP, Manifest, damaged, newest, read, verify
from tvdb_pipeline.settings import Settings

MARK = "restoring"
"""A file in TVDB_HOME while a restore is under way: what is there then is half of one, and goes at the next."""


@dataclass(frozen=True, slots=True)
class Restored:
    """seconds: recovery time; taken_at and age_seconds: recovery point; charged: requests counted as spent; runs: ended;
    erased: documents the backup held that had been erased since."""

    taken_at: str
    age_seconds: float
    seconds: float
    documents: int
    artifacts: int
    charged: int
    runs: int
    migrated: int
    erased: int


def restore(settings: Settings, url: str, source: Path, *, erase: bool = True) -> Restored:
    """Read the backup back that `source` is, or the newest in it.

    erase: False leaves in place what was erased since, to compare the copy with the backup. Raises TvdbError: `no_backup`,
    `backup_damaged`, `not_empty`, `backup_tool`, `backup_newer`, `erasures_unreadable`, StorageAway; nothing was touched then.
    """
    started = time.monotonic()
    folder = newest(source)
    manifest = read(folder)
    verify(folder, manifest)
    _refuse_unfit(settings, url, manifest)
    erasures = _erased_since(source, folder.parent, settings.backup_dir, settings.home) if erase else []
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / MARK).touch()
    _read_back(settings, url, folder, manifest)
    migrated, charged = _bring_up_to_date(url)
    runs, erased = _fit_to_present(settings, url, erasures)
    (settings.home / MARK).unlink()
    taken = datetime.fromisoformat(manifest.taken_at)
    done = Restored(
        manifest.taken_at, round((datetime.now(UTC) - taken).total_seconds(), 1), round(time.monotonic() - started, 3),
        manifest.tables["tvdb.documents"][0], sum(name.startswith("artifacts/") for name in manifest.files), charged, runs,
        migrated, erased,
    )  # fmt: skip
    note(url, "restore", passed=True, figures={"seconds": done.seconds, "age_seconds": done.age_seconds})
    return done


def _refuse_unfit(settings: Settings, url: str, manifest: Manifest) -> None:
    from tvdb_pipeline.database.migrations import migrations

    if manifest.migration > migrations()[-1].number:
        raise TvdbError(
            "backup_newer", "This backup is of a newer version; install that one first. Nothing was touched."
        )
    # Storage that is away is found before anything is touched; what it still holds of these artifacts is the same.
    open_store(settings).prove()
    if (settings.home / MARK).exists():
        return
    with psycopg.connect(url) as conn:
        there = conn.execute("SELECT to_regclass('tvdb.documents') IS NOT NULL").fetchone() == (True,)
        query = "SELECT EXISTS (SELECT FROM tvdb.documents), EXISTS (SELECT FROM tvdb.requests)"
        used = conn.execute(query).fetchone() if there else None
    kept = next((path for path in (settings.home / "artifacts").rglob("*") if path.is_file()), None)
    if (used and any(used)) or kept is not None:
        raise TvdbError(
            "not_empty",
            "There are documents here already; restore into an empty database and an empty TVDB_HOME. Nothing was touched.",
        )


def _read_back(settings: Settings, url: str, folder: Path, manifest: Manifest) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for schema in contents.SCHEMAS:
            conn.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")  # pyright: ignore[reportCallIssue,reportArgumentType]
        conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
        row = conn.execute("SELECT current_setting('server_version_num')::int").fetchone()
        assert row is not None
    command = [
        tools.program("pg_restore", row[0]), "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
        f"--dbname={conninfo_to_dict(url).get('dbname', 'postgres')}", str(folder / DUMP),
    ]  # fmt: skip
    tools.run(command, url)
    with psycopg.connect(url, autocommit=True) as conn:
        # Neither a dump nor its reading brings what the planner, and the choice of rare words, go by.
        conn.execute("ANALYZE")
    for name in ("artifacts", "slips"):
        shutil.rmtree(settings.home / name, ignore_errors=True)
        if (folder / name).is_dir():
            shutil.copytree(folder / name, settings.home / name)
    open_store(settings).hand_on()
    with psycopg.connect(url) as conn:
        if contents.tables(conn) != manifest.tables:
            raise damaged("the copy of the database, read back,")


def _bring_up_to_date(url: str) -> tuple[int, int]:
    """Migrations forward, owner and rights, reservations to spent, claims lapsed; how many migrations and requests."""
    with psycopg.connect(url, autocommit=True) as conn:
        migrated = len(migrate(conn))
        # What was read back belongs to the role that read it, and nobody else may do anything there.
        roles.settle(conn)
        conn.execute("UPDATE tvdb.documents SET claim_owner = NULL, claim_until = NULL WHERE claim_owner IS NOT NULL")
        conn.execute("DELETE FROM tvdb.embedding_claims")
        # A lease that lapsed after the request was sent is charged in full by the ledger itself.
        charged = conn.execute(
            "UPDATE tvdb.requests SET state = 'sent', lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL"
        ).rowcount
    return migrated, charged


def _erased_since(*folders: Path | None) -> list[Erasure]:
    """What the lists of these folders say. Without one of them, what was erased might come back."""
    try:
        return erasure_lists.united(folders)
    except OSError as error:
        raise TvdbError(
            "erasures_unreadable",
            f"A list of erased documents ({erasure_lists.FILE}) is there and cannot be read (errno {error.errno}); make it "
            "readable. Nothing was touched.",
        ) from None


def _fit_to_present(settings: Settings, url: str, erasures: Sequence[Erasure]) -> tuple[int, int]:
    """Book what lapsed, erase again what was erased since, and tell Dagster; how many runs and documents."""
    from tvdb_pipeline.orchestration.after_restore import bring_up_to_date

    database = Database(url).open()
    try:
        # Nothing is asked of a provider.
        shop = build_workshop(settings, database, MockClient())
        shop.ledger.reap()
        erased = _erase_again(shop, erasures)
        return bring_up_to_date(settings, database), erased
    finally:
        database.close()


def _erase_again(shop: Workshop, erasures: Sequence[Erasure]) -> int:
    """Erase documents that were registered before they were erased, with what is attached to them; how many."""
    again = tombstones.registered_before(shop.database, erasures)
    keys: set[str] = set()
    for key, reason in again.items():
        family = [name for name in (key, *descendants(shop.database, [key])) if name not in keys]
        remove(shop, family, reason)
        keys.update(family)
    with shop.database.connection() as conn:
        tombstones.take_in(conn, erasures)
    return len(keys)
