"""Running totals: exact in every snapshot, whatever the order in which transactions end, and read once only."""

from __future__ import annotations

import psycopg
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.operations.metrics.histograms import BOUNDS
from tvdb_pipeline.operations.metrics.snapshot import Reader
from tvdb_pipeline.operations.metrics.totals import Watermark
from tvdb_pipeline.settings import Settings


def register(conn: psycopg.Connection[tuple[object, ...]], key: str) -> None:
    conn.execute("INSERT INTO tvdb.documents (key, path) VALUES (%s, %s)", (key, key))


def end(conn: psycopg.Connection[tuple[object, ...]], key: str, seconds: float = 1.0) -> None:
    conn.execute(
        "UPDATE tvdb.documents SET state = 'ready', seconds = jsonb_build_object('parse', %s::numeric) WHERE key = %s",
        (seconds, key),
    )


def ready(reader: Reader) -> tuple[int, int]:
    """Walks that ended ready, and stages of parsing counted."""
    journal = reader.read().journal
    return journal.ends["ready"], sum(journal.stages["parse"].counts)


def test_an_entry_that_is_committed_after_later_ones_is_counted_once_and_not_before(
    database_url: str, settings: Settings
) -> None:
    reader = Reader(database_url, settings)
    with psycopg.connect(database_url) as slow, psycopg.connect(database_url, autocommit=True) as quick:
        for key in ("a", "b", "c", "d"):
            register(quick, key)
        end(slow, "a")
        for number, key in enumerate(("b", "c", "d"), 1):
            end(quick, key)
            assert [ready(reader), ready(reader)] == [(number, number)] * 2
        slow.commit()
        assert [ready(reader), ready(reader), ready(reader)] == [(4, 4)] * 3


def test_a_bound_belongs_to_its_bucket_and_a_stage_that_took_no_time_is_not_counted(
    database: Database, database_url: str, settings: Settings
) -> None:
    longest = BOUNDS[-1] + 0.0001
    with database.connection() as conn:
        for number, seconds in enumerate((0.0, *BOUNDS, *BOUNDS, longest)):
            register(conn, f"d{number}")
            end(conn, f"d{number}", seconds)
    parsing = Reader(database_url, settings).read().journal.stages["parse"]
    assert parsing.counts == [2] * len(BOUNDS) + [1]
    assert float(parsing.seconds) == pytest.approx(2 * sum(BOUNDS) + longest)


def test_what_was_counted_is_not_read_again(database: Database, database_url: str, settings: Settings) -> None:
    reader = Reader(database_url, settings)
    with database.connection() as conn:
        register(conn, "a")
        end(conn, "a")
    assert ready(reader) == ready(reader) == (1, 1)
    with database.connection() as conn:
        register(conn, "b")
        end(conn, "b")
        # No longer there to be read; it was counted.
        conn.execute("DELETE FROM tvdb.journal WHERE document_key = 'a'")
    assert ready(reader) == ready(reader) == (2, 2)


def test_after_an_earlier_state_was_restored_the_totals_are_those_of_that_state(
    database: Database, database_url: str, settings: Settings
) -> None:
    reader = Reader(database_url, settings)
    with database.connection() as conn:
        for key in ("a", "b"):
            register(conn, key)
            end(conn, key)
    assert ready(reader) == ready(reader) == (2, 2)
    database.run("DELETE FROM tvdb.journal WHERE document_key = 'b'")
    assert ready(reader) == ready(reader) == (1, 1)


def test_a_late_answer_moves_a_request_from_open_to_settled(
    database: Database, database_url: str, settings: Settings
) -> None:
    reader = Reader(database_url, settings)
    database.run(
        """INSERT INTO tvdb.requests (model, state, paid, purpose, inputs, tokens, cost_nano, day_starts, started_at, request_key,
               attempt, kind)
           VALUES ('m', 'charged_unknown', true, 'documents', 1, 10, 200, now(), now(), 'k', 1, 'first')"""
    )
    for _ in range(3):
        assert {attempt.state: sums["cost_nano"] for attempt, sums in reader.read().requests.items()} == {
            "charged_unknown": 200
        }
    database.run("UPDATE tvdb.requests SET state = 'settled', tokens = 9, cost_nano = 180")
    for _ in range(3):
        assert {attempt.state: sums["cost_nano"] for attempt, sums in reader.read().requests.items()} == {
            "settled": 180
        }


def test_a_mark_moves_only_past_what_was_seen_before_every_writer_of_then_had_ended() -> None:
    mark = Watermark()
    assert mark.reached(50) == 0
    mark.move(0, highest=10, next_transaction=60)
    assert mark.reached(59) == 0
    mark.move(0, highest=20, next_transaction=70)
    assert mark.reached(60) == 10
    mark.move(10, highest=30, next_transaction=80)
    assert (mark.number, mark.reached(79), mark.reached(80)) == (10, 10, 30)
