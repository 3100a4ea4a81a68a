"""A scrape in the midst of work contradicts itself nowhere: all its figures are of one moment."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import Order
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.operations.metrics.scraping import by, endpoint, total, value

MODEL = "text-embedding-3-small"
PLENTY = {"hourly_request_limit": 1_000_000, "daily_cost_limit_usd": 1_000, "cost_window_seconds": 1e10}


def spend(ledger: Ledger, database: Database, number: int) -> None:
    """One attempt after another, each ended in another way."""
    reservation = ledger.reserve(MODEL, Order(1, 10 + number % 7, "documents"))
    if number % 4 == 0:
        ledger.release(reservation)
        return
    ledger.mark_sent(reservation)
    if number % 4 == 1:
        ledger.charge_unknown(reservation)
    else:
        with database.connection() as conn:
            ledger.settle(conn, reservation, MODEL, 10 + number % 7)


def finish_a_document(database: Database, number: int) -> None:
    with database.connection() as conn:
        conn.execute("INSERT INTO tvdb.documents (key, path) VALUES (%(n)s, %(n)s)", {"n": f"d{number}"})
        conn.execute(
            """UPDATE tvdb.documents SET state = 'ready', seconds = '{"parse": 0.5}' WHERE key = %s""", (f"d{number}",)
        )


@contextmanager
def busy(*work: Callable[[int], None]) -> Iterator[None]:
    """While it is open, each of these is called again and again in a thread of its own."""
    stop = threading.Event()

    def repeat(what: Callable[[int], None]) -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            what(number)

    with ThreadPoolExecutor(len(work)) as pool:
        ends = [pool.submit(repeat, what) for what in work]
        try:
            yield
        finally:
            stop.set()
    for end in ends:
        end.result()


def test_scrapes_while_money_is_spent_and_documents_end_add_up(
    make_shop: Callable[..., Workshop], settings: Settings, database: Database
) -> None:
    shop = make_shop(**PLENTY)
    with (
        endpoint(settings.model_copy(update=PLENTY)) as scrape,
        busy(
            lambda number: spend(shop.ledger, database, number),
            lambda number: spend(shop.ledger, database, number),
            lambda number: finish_a_document(database, number),
        ),
    ):
        scrapes = [scrape() for _ in range(12)]
    for told in scrapes:
        spent = total(told, "tvdb_settled_nanodollars_total") + total(told, "tvdb_charged_unknown_nanodollars")
        assert value(told, "tvdb_budget_spent_dollars") == spent / 1e9
        under_way = total(told, "tvdb_requests_open") - total(told, "tvdb_requests_open", state="charged_unknown")
        assert (value(told, "tvdb_budget_held_dollars") > 0) == (under_way > 0)
        assert value(told, "tvdb_request_window_used") == total(told, "tvdb_requests_total") + total(
            told, "tvdb_requests_open"
        )
        assert value(told, "tvdb_tokens_total", purpose="documents", paid="yes") * 20 == total(
            told, "tvdb_settled_nanodollars_total"
        )
        ended = value(told, "tvdb_document_ends_total", state="ready")
        assert by(told, "tvdb_documents", "state")["ready"] == ended
        assert value(told, "tvdb_stage_seconds_count", stage="parse") == ended
        assert value(told, "tvdb_stage_seconds_sum", stage="parse") == ended / 2
    assert value(scrapes[-1], "tvdb_document_ends_total", state="ready") > value(
        scrapes[0], "tvdb_document_ends_total", state="ready"
    )
