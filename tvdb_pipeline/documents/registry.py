"""The document table: one row a document, its state, its figures and its error.

Belongs here: reading and writing those rows. Does not: claims (`claims`), what the figures mean, or money (`budget`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from psycopg.rows import class_row

from tvdb_pipeline.database.pools import Connection, Database
from tvdb_pipeline.documents.stages import Stage

State = Literal["registered", "processing", "ready", "partial", "deferred", "rejected", "failed", "deleted"]
SEARCHABLE: frozenset[State] = frozenset({"ready", "partial"})
UNFINISHED: frozenset[State] = frozenset({"registered", "processing", "deferred", "failed"})


@dataclass(slots=True)
class Document:
    """One row of tvdb.documents. Of one that was erased nothing is left but its key, which stands for its path, too.

    `seconds` by parse, chunk, embed, store; `versions` by stage; `error` as TvdbError.as_json; of a file attached to a message,
    `parent_key` is that message's and `given_sha256` its content; of one in object storage `source_mark` is the entity tag read
    last.
    """

    key: str
    path: str
    source: str | None
    state: State
    stage: Stage | None
    error: dict[str, Any] | None
    media_type: str | None
    bytes: int | None
    content_sha256: str | None
    pages: int
    page_coverage: dict[str, int]
    chunks: int
    vectors: int
    provisional_vectors: int
    embedding_model: str | None
    seconds: dict[str, float]
    attempts: int
    next_attempt_at: datetime | None
    fence: int
    parent_key: str | None = None
    given_sha256: str | None = None
    source_mark: str | None = None
    versions: dict[Stage, str] = field(default_factory=dict[Stage, str])


_COLUMNS = """key, CASE state WHEN 'deleted' THEN key ELSE path END AS path, source, state, stage, error, media_type, bytes,
    content_sha256, pages, page_coverage, chunks, vectors, provisional_vectors, embedding_model, seconds, attempts,
    next_attempt_at, fence, parent_key, given_sha256, source_mark, versions"""


def register(conn: Connection, rows: Iterable[tuple[str, str, str | None]]) -> list[str]:
    """Add (key, path, source) rows whose path is new; the keys added. One that was erased is registered anew, under its key.

    No path may come twice.
    """
    keys, paths, sources = zip(*rows, strict=True) if (rows := list(rows)) else ((), (), ())
    given = {"keys": list(keys), "paths": list(paths), "sources": list(sources)}
    # Each a little later than the one before: documents stay in the order they were registered in.
    added = conn.execute(
        """UPDATE tvdb.documents d SET state = 'registered', path = g.path, source = g.source, updated_at = now(),
               registered_at = (SELECT clock_timestamp()) + number * interval '1 microsecond'
           FROM unnest(%(keys)s::text[], %(paths)s::text[], %(sources)s::text[]) WITH ORDINALITY AS g (key, path, source, number)
           WHERE d.key = g.key AND d.state = 'deleted' RETURNING d.key""",
        given,
    ).fetchall()
    added += conn.execute(
        """INSERT INTO tvdb.documents (key, path, source, registered_at)
           SELECT key, path, source, (SELECT clock_timestamp()) + number * interval '1 microsecond'
           FROM unnest(%(keys)s::text[], %(paths)s::text[], %(sources)s::text[]) WITH ORDINALITY AS g (key, path, source, number)
           ORDER BY number ON CONFLICT DO NOTHING RETURNING key""",
        given,
    ).fetchall()
    conn.execute(
        """UPDATE tvdb.documents d SET source = g.source FROM unnest(%(keys)s::text[], %(sources)s::text[]) AS g (key, source)
           WHERE d.key = g.key AND g.source IS NOT NULL AND d.source IS DISTINCT FROM g.source""",
        given,
    )
    return [row[0] for row in added]


def keys_of(database: Database, paths: Collection[str]) -> dict[str, str]:
    """path -> key of those that are registered."""
    rows = database.fetch("SELECT path, key FROM tvdb.documents WHERE path = ANY(%s)", (list(paths),))
    return {row[0]: row[1] for row in rows}


def load(database: Database, keys: Collection[str] | None = None) -> list[Document]:
    """The rows of these keys (all that are not deleted for None), in order of registration."""
    where = "state <> 'deleted'" if keys is None else "key = ANY(%(keys)s)"
    return _select(database, where, {"keys": list(keys or ())})


def under(database: Database, folder: str, upload_dir: str) -> list[Document]:
    """The documents whose files lie, or lay, below a folder, without those deleted and without attachments.

    Both folders as absolute paths. Documents in object storage have no folder here.
    """
    return _select(
        database,
        """state <> 'deleted' AND parent_key IS NULL AND strpos(coalesce(source, ''), '://') = 0
           AND starts_with(CASE WHEN starts_with(path, '/') THEN path ELSE %(uploads)s || path END, %(folder)s)""",
        {"folder": folder.rstrip("/") + "/", "uploads": upload_dir.rstrip("/") + "/"},
    )


def of_source(database: Database, source: str) -> list[Document]:
    """The documents found in this source (a URL of object storage), without those deleted and without attachments."""
    return _select(database, "state <> 'deleted' AND parent_key IS NULL AND source = %(source)s", {"source": source})


def resumable(database: Database, max_attempts: int) -> list[Document]:
    """Documents that wait for a run: unfinished, unclaimed, due, and with attempts left (deferral has no such limit)."""
    return _select(
        database,
        """state = ANY(%(states)s) AND (claim_until IS NULL OR claim_until < now())
           AND coalesce(next_attempt_at, '-infinity') <= now() AND (state <> 'failed' OR attempts < %(attempts)s)""",
        {"states": list(UNFINISHED), "attempts": max_attempts},
    )


def record(conn: Connection, key: str, fence: int, values: Mapping[str, object]) -> bool:
    """Set columns of a claimed document; False, and nothing set, where the fence is no longer ours.

    Keys of `values` are column names written by this package's callers, never by a user.
    """
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    params: dict[str, object] = {
        name: json.dumps(value) if isinstance(value, dict) else value for name, value in values.items()
    }
    done = conn.execute(
        f"UPDATE tvdb.documents SET {assignments}, updated_at = now() WHERE key = %(_key)s AND fence = %(_fence)s",  # pyright: ignore[reportArgumentType,reportCallIssue]
        {**params, "_key": key, "_fence": fence},
    )
    return done.rowcount == 1


def expect_run(database: Database, keys: Collection[str], seconds: float) -> None:
    """Note that somebody is about to run these documents. Should it be killed first, they are due after so many seconds."""
    database.run(
        """UPDATE tvdb.documents SET next_attempt_at = now() + make_interval(secs => %s)
           WHERE key = ANY(%s) AND state = 'registered' AND next_attempt_at IS NULL""",
        (seconds, list(keys)),
    )


def unnamed(database: Database, artifacts: Collection[tuple[Stage, str]]) -> list[tuple[Stage, str]]:
    """Those of the artifacts, by (stage, data version), that no document has, neither as its own nor as what it was given."""
    found = database.fetch(
        """SELECT stage, version FROM unnest(%(stages)s::text[], %(versions)s::text[]) AS g (stage, version)
           EXCEPT (SELECT v.stage, v.version FROM tvdb.documents d, jsonb_each_text(d.versions) AS v (stage, version)
                   WHERE d.state <> 'deleted'
                   UNION ALL SELECT 'raw_file', given_sha256 FROM tvdb.documents WHERE state <> 'deleted')""",
        {"stages": [stage for stage, _ in artifacts], "versions": [version for _, version in artifacts]},
    )
    return [(row[0], row[1]) for row in found]


def mark_deleted(conn: Connection, keys: Sequence[str]) -> None:
    """Forget all but the key; the fence grows, so that a late writer is refused. No file's identity begins with `./`."""
    conn.execute(
        """UPDATE tvdb.documents SET state = 'deleted', path = './' || key, fence = fence + 1, claim_owner = NULL,
               claim_until = NULL, run_id = NULL, parent_key = NULL, attempts = 0, next_attempt_at = NULL,
               stage = NULL, error = NULL, content_sha256 = NULL, media_type = NULL, bytes = NULL, pages = 0, chunks = 0,
               vectors = 0, provisional_vectors = 0, embedding_model = NULL, versions = '{}', source = NULL, given_sha256 = NULL,
               source_mark = NULL,
               page_coverage = DEFAULT, seconds = DEFAULT, updated_at = now()
           WHERE key = ANY(%s)""",
        (list(keys),),
    )


def _select(database: Database, where: str, params: Mapping[str, object]) -> list[Document]:
    with database.connection() as conn, conn.cursor(row_factory=class_row(Document)) as cursor:
        query = f"SELECT {_COLUMNS} FROM tvdb.documents WHERE {where} ORDER BY registered_at, key"
        return cursor.execute(query, params).fetchall()  # pyright: ignore[reportArgumentType,reportCallIssue]
