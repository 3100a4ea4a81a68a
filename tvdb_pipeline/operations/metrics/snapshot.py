"""All that the database says at one moment: one REPEATABLE READ transaction, so that no two figures contradict each other.

Belongs here: that transaction and the figures of the moment. Does not: running totals (`totals`), or names of metrics
(`exposition`). Nothing is written, migrated or started.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from tvdb_pipeline.budget import reservations, windows
from tvdb_pipeline.database.pools import Connection, server_time
from tvdb_pipeline.ingest.sweeping import MAX_ATTEMPTS
from tvdb_pipeline.operations.alerts import measuring
from tvdb_pipeline.operations.alerts.facts import Level
from tvdb_pipeline.operations.metrics.totals import Journal, JournalTotals, Requests, RequestTotals, Snapshot
from tvdb_pipeline.settings import Settings

_STATEMENT_MILLISECONDS = 30_000


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker's row. changes: how often its state changed, ever; trips: how often in a row it opened without closing."""

    state: str
    trips: int
    changes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One snapshot. dollars: spent, held (nano-dollars of the day); slots: of the request window.

    documents: by state; due: those a run could take up now; waiting: by state, seconds the oldest that nobody works on has
    waited since it was last complete; heartbeats: seconds since each daemon's last beat.
    """

    spent_nano: int
    held_nano: int
    slots: reservations.Slots
    requests: Requests
    journal: Journal
    breaker: Breaker
    documents: dict[str, int]
    due: int
    waiting: dict[str, float]
    provisional_vectors: int
    vector_rows: int
    cached_texts: int
    connections: Level
    database_bytes: int
    heartbeats: dict[str, float]


class Reader:
    """Reads one database again and again. url: of the database; not safe for two threads at once."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url, self._settings = url, settings
        self._journal, self._requests = JournalTotals(), RequestTotals()

    def read(self) -> Figures:
        """The figures of this moment. Raises psycopg.Error where the database cannot be reached or has no schema of ours."""
        with psycopg.connect(
            self._url,
            application_name="tvdb metrics",
            # A server that vanished in the middle of an answer must not hold up the scrapes that follow.
            connect_timeout=5,
            tcp_user_timeout=20_000,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        ) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            conn.read_only = True
            conn.execute("SELECT set_config('statement_timeout', %s, true)", (str(_STATEMENT_MILLISECONDS),))
            return self._figures(conn)

    def _figures(self, conn: Connection) -> Figures:
        settings, now = self._settings, server_time(conn)
        snapshot = Snapshot(
            *_one(
                conn,
                """SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
                       pg_snapshot_xmax(pg_current_snapshot())::text::bigint""",
            )
        )
        spent, held = reservations.day_sums(conn, now, windows.day_of(now, settings.cost_window_seconds))
        return Figures(
            spent_nano=spent,
            held_nano=held,
            slots=reservations.slots(conn, now, settings.request_window_seconds),
            requests=self._requests.read(conn, snapshot),
            journal=self._journal.read(conn, snapshot),
            breaker=Breaker(*_one(conn, "SELECT state, trips, epoch FROM tvdb.breaker")),
            documents=dict(conn.execute("SELECT state, count(*) FROM tvdb.documents GROUP BY 1").fetchall()),
            due=_due(conn),
            waiting=_waiting(conn),
            provisional_vectors=_one(conn, "SELECT count(*) FROM tvdb.vector_rows WHERE provisional")[0],
            vector_rows=_one(conn, "SELECT count(*) FROM tvdb.vector_rows")[0],
            cached_texts=_one(conn, "SELECT count(*) FROM tvdb.embedding_cache")[0],
            connections=measuring.connections(conn),
            database_bytes=_one(conn, "SELECT pg_database_size(current_database())")[0],
            heartbeats=measuring.heartbeats(conn, expected=False),
        )


def _due(conn: Connection) -> int:
    """As `documents.registry.resumable` chooses them."""
    return _one(
        conn,
        """SELECT count(*) FROM tvdb.documents
           WHERE state IN ('registered', 'processing', 'deferred', 'failed') AND (claim_until IS NULL OR claim_until < now())
               AND coalesce(next_attempt_at, '-infinity') <= now() AND (state <> 'failed' OR attempts < %s)""",
        (MAX_ATTEMPTS,),
    )[0]


def _waiting(conn: Connection) -> dict[str, float]:
    """Since when is told by the journal: a document that is tried again and again has waited since it began to."""
    rows = conn.execute(
        """SELECT d.state, extract(epoch FROM now() - min(began.at))::float
           FROM tvdb.documents d, LATERAL (
               SELECT min(j.at) AS at FROM tvdb.journal j WHERE j.document_key = d.key AND j.id > coalesce(
                   (SELECT max(l.id) FROM tvdb.journal l WHERE l.document_key = d.key AND l.event = 'state'
                        AND l.state IN ('ready', 'partial', 'rejected', 'deleted')), 0)) began
           WHERE d.state IN ('registered', 'processing', 'deferred', 'failed')
               AND (d.claim_until IS NULL OR d.claim_until < now()) AND (d.state <> 'failed' OR d.attempts < %s)
               AND began.at IS NOT NULL
           GROUP BY 1""",
        (MAX_ATTEMPTS,),
    ).fetchall()
    # A clock that was set back must not make a wait negative.
    return {state: max(seconds, 0.0) for state, seconds in rows}


def _one(conn: Connection, query: LiteralString, params: object = None) -> tuple[Any, ...]:
    row = conn.execute(query, params).fetchone()  # pyright: ignore[reportArgumentType]
    assert row is not None
    return row
