"""What the database says: budget, breaker, documents, the journal, Dagster's heartbeats, its own connections.

Belongs here: reading it, all on one connection, changing nothing. Does not: judging (`rules`), or this machine (`machine`).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg

from tvdb_pipeline.budget import reservations, windows
from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.chunking.cuts import MAX_CHUNK_TOKENS
from tvdb_pipeline.database import tls
from tvdb_pipeline.database.migrations import migrate
from tvdb_pipeline.database.pools import Connection, server_time
from tvdb_pipeline.database.server import is_running, start_server
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.sweeping import MAX_ATTEMPTS
from tvdb_pipeline.operations.alerts.facts import (
    BreakerFacts,
    Budget,
    Documents,
    Ends,
    Failed,
    Level,
    Progress,
    Waiting,
)
from tvdb_pipeline.settings import Settings

MOST_FAILED = 50
"""Failed documents told of one by one; of the others, how many they are."""
_STATEMENT_MILLISECONDS = 20_000
_CONNECT_SECONDS = 5
_NEVER = float("inf")


@contextmanager
def connected(settings: Settings) -> Generator[Connection]:
    """A connection of one's own, in autocommit. A server that is not running is not started: that it is down is to be told.

    Raises psycopg.OperationalError where there is none to be had.
    """
    with psycopg.connect(_url(settings), autocommit=True, connect_timeout=_CONNECT_SECONDS) as conn:
        migrate(conn)
        # A disk that hangs must not silence the watcher.
        conn.execute("SELECT set_config('statement_timeout', %s, false)", (str(_STATEMENT_MILLISECONDS),))
        yield conn


def _url(settings: Settings) -> str:
    if settings.database_url is not None:
        return tls.verified(settings.database_url.get_secret_value(), settings.database_tls)
    if not is_running(settings.home):
        raise psycopg.OperationalError("the embedded server is not running")
    return start_server(settings.home, leave_running=True)


def budget(conn: Connection, settings: Settings) -> Budget:
    """As the ledger sees it at this moment."""
    now = server_time(conn)
    slots = reservations.slots(conn, now, settings.request_window_seconds)
    booked = sum(reservations.day_sums(conn, now, windows.day_of(now, settings.cost_window_seconds)))
    try:
        least = price(settings.embedding_model) * MAX_CHUNK_TOKENS
    except TvdbError:
        # A model without a price is never paid for.
        least = 0
    return Budget(Level(booked, settings.daily_limit_nano), Level(slots.used, settings.hourly_request_limit), least)


def breaker(conn: Connection) -> BreakerFacts:
    """The breaker's row."""
    return BreakerFacts(*_one(conn, "SELECT state, code FROM tvdb.breaker"))


def documents(conn: Connection, waiting_seconds: float) -> Documents:
    """Those that failed for good, and those unfinished for longer than `waiting_seconds` since they were last complete."""
    failed = conn.execute(
        """SELECT key, coalesce(error ->> 'code', 'unknown'), attempts, count(*) OVER () FROM tvdb.documents
           WHERE state = 'failed' AND attempts >= %s ORDER BY updated_at, key LIMIT %s""",
        (MAX_ATTEMPTS, MOST_FAILED),
    ).fetchall()
    waiting = conn.execute(
        """SELECT code, count(*), (array_agg(key ORDER BY since, key))[1], min(since) FROM (
               SELECT d.key, coalesce(d.error ->> 'code', d.state) AS code, began.at AS since
               FROM tvdb.documents d, LATERAL (
                   SELECT min(j.at) AS at FROM tvdb.journal j WHERE j.document_key = d.key AND j.id > coalesce(
                       (SELECT max(l.id) FROM tvdb.journal l WHERE l.document_key = d.key AND l.event = 'state'
                            AND l.state IN ('ready', 'partial', 'rejected', 'deleted')), 0)) began
               WHERE d.state IN ('registered', 'processing', 'deferred', 'failed')
                   AND (d.state <> 'failed' OR d.attempts < %(attempts)s)
                   AND d.registered_at < now() - make_interval(secs => %(seconds)s)) unfinished
           WHERE since < now() - make_interval(secs => %(seconds)s) GROUP BY 1 ORDER BY 1""",
        {"attempts": MAX_ATTEMPTS, "seconds": waiting_seconds},
    ).fetchall()
    return Documents(
        [Failed(key, code, attempts) for key, code, attempts, _ in failed],
        failed[0][3] if failed else 0,
        [Waiting(code, number, oldest, since.astimezone(UTC)) for code, number, oldest, since in waiting],
    )


def progress(conn: Connection, waiting_seconds: float) -> Progress:
    """How many documents could have gone on for so long, and when anything last happened to any."""
    due = _one(
        conn,
        """SELECT count(*) FROM tvdb.documents
           WHERE state IN ('registered', 'processing', 'deferred', 'failed') AND (state <> 'failed' OR attempts < %s)
               AND greatest(claim_until, next_attempt_at, updated_at) < now() - make_interval(secs => %s)""",
        (MAX_ATTEMPTS, waiting_seconds),
    )
    silent = _one(
        conn,
        "SELECT extract(epoch FROM now() - (SELECT at FROM tvdb.journal ORDER BY id DESC LIMIT 1))::float",
    )
    return Progress(due[0], silent[0])


def ends(conn: Connection, window_seconds: float) -> Ends:
    """What became of the documents that ended within the window; one that ended twice counts as it did last."""
    row = _one(
        conn,
        """SELECT count(*), count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'rejected')
           FROM (SELECT DISTINCT ON (document_key) state FROM tvdb.journal
                 WHERE at > now() - make_interval(secs => %s) AND event = 'state'
                     AND state IN ('ready', 'partial', 'failed', 'rejected')
                 ORDER BY document_key, id DESC) ended""",
        (window_seconds,),
    )
    return Ends(*row)


def ends_of_run(conn: Connection, run_id: str) -> list[tuple[int, str, str]]:
    """How many documents of a run did not end well, by state and code; of a run of the last day."""
    rows = conn.execute(
        """SELECT count(DISTINCT document_key), state, coalesce(code, 'unknown') FROM tvdb.journal
           WHERE at > now() - interval '1 day' AND run_id = %s AND event = 'state'
               AND state IN ('failed', 'rejected', 'deferred')
           GROUP BY 2, 3 ORDER BY 2, 3""",
        (run_id,),
    ).fetchall()
    return [(number, state, code) for number, state, code in rows]


def heartbeats(conn: Connection, *, expected: bool) -> dict[str, float]:
    """Seconds since each of Dagster's daemons last beat.

    expected: that none has ever beaten is worth telling; otherwise Dagster is just not used here.
    """
    beaten: dict[str, float] = {}
    if _one(conn, "SELECT to_regclass('dagster.daemon_heartbeats')")[0] is not None:
        rows = conn.execute(
            """SELECT daemon_type, extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - timestamp)::float
               FROM dagster.daemon_heartbeats"""
        )
        beaten = {name: age for name, age in rows}
    return beaten or ({"daemon": _NEVER} if expected else {})


def connections(conn: Connection) -> Level:
    """Connections of all clients of the server, and how many there may be without those kept for its owner."""
    row = _one(
        conn,
        """SELECT (SELECT sum(numbackends) FROM pg_stat_database)::int, current_setting('max_connections')::int
               - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true), '0')::int""",
    )
    return Level(*row)


def clock(conn: Connection) -> datetime:
    """The database's time."""
    return server_time(conn).astimezone(UTC)


def _one(conn: Connection, query: LiteralString, params: object = None) -> tuple[Any, ...]:
    row = conn.execute(query, params).fetchone()  # pyright: ignore[reportArgumentType]
    assert row is not None
    return row
