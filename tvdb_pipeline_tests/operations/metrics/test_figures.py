"""What a scrape says is what the ledger, the document table and the journal say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding.breaker import Breaker
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.operations.ingestion import delete_document
from tvdb_pipeline.operations.metrics.histograms import BOUNDS
from tvdb_pipeline.operations.overview import overview
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.faults import Hang, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI, Refusal
from tvdb_pipeline_tests.operations.metrics.scraping import Scrape, Series, by, endpoint, total, value
from tvdb_pipeline_tests.prose import paragraphs

Shops = Callable[..., Workshop]
COUNTERS = (
    "tvdb_requests_total",
    "tvdb_tokens_total",
    "tvdb_settled_nanodollars_total",
    "tvdb_breaker_changes_total",
    "tvdb_document_ends_total",
    "tvdb_document_errors_total",
    "tvdb_stage_seconds_bucket",
    "tvdb_stage_seconds_count",
    "tvdb_stage_seconds_sum",
)


def paid(make_shop: Shops, server: FakeOpenAI, **changes: object) -> Workshop:
    client = OpenAIClient("text-embedding-3-small", "sk-test", server.url, timeout=1)
    return make_shop(client, retry_first_wait_seconds=0.01, retry_longest_wait_seconds=0.05, **changes)


def fill(folder: Path, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        (folder / f"{number:02}.txt").write_text("\n\n".join(paragraphs(4, seed=number)))


def ingest(shop: Workshop) -> None:
    list(walk(shop, make_plan(shop, [shop.settings.upload_dir]).stale))


def remove_first(shop: Workshop) -> None:
    document = registry.load(shop.database)[0]
    (shop.settings.upload_dir / document.path).unlink()
    delete_document(shop, document.key)


def compare(series: Series, shop: Workshop) -> None:
    """With the ledger's and the document table's own answers, to the last digit."""
    state, limits, database = shop.ledger.state(), shop.ledger.limits, shop.database
    assert value(series, "tvdb_up") == 1
    assert value(series, "tvdb_budget_spent_dollars") == state.spent_nano / 1e9
    assert value(series, "tvdb_budget_held_dollars") == state.held_nano / 1e9
    assert value(series, "tvdb_budget_limit_dollars") == limits.daily_nano / 1e9
    assert value(series, "tvdb_request_window_used") == state.requests
    assert value(series, "tvdb_request_window_retries") == state.retries
    assert value(series, "tvdb_request_window_limit") == limits.hourly_requests
    compare_ledger(series, database)
    compare_documents(series, database)
    compare_journal(series, database)


def compare_ledger(series: Series, database: Database) -> None:
    rows = database.fetch(
        "SELECT state, purpose, kind, paid, count(*), sum(tokens), sum(cost_nano) FROM tvdb.requests GROUP BY 1, 2, 3, 4"
    )
    told = {dict(labels)["state"] for name, labels in series if name in ("tvdb_requests_total", "tvdb_requests_open")}
    assert told == {"held", "sent", "settled", "released", "charged_unknown"}
    for state, purpose, kind, is_paid, count, _, _ in rows:
        name = "tvdb_requests_total" if state in ("settled", "released") else "tvdb_requests_open"
        assert value(series, name, state=state, purpose=purpose, kind=kind, paid="yes" if is_paid else "no") == count
    assert total(series, "tvdb_requests_total") + total(series, "tvdb_requests_open") == sum(row[4] for row in rows)
    assert total(series, "tvdb_tokens_total") == sum(row[5] for row in rows if row[0] == "settled")
    assert total(series, "tvdb_settled_nanodollars_total") == sum(row[6] for row in rows if row[0] == "settled")
    booked = database.fetch("SELECT coalesce(sum(spent_nano), 0) FROM tvdb.dollar_windows")[0][0]
    unknown = total(series, "tvdb_charged_unknown_nanodollars")
    assert total(series, "tvdb_settled_nanodollars_total") + unknown == booked


def compare_documents(series: Series, database: Database) -> None:
    counted = dict.fromkeys(get_args(registry.State), 0)
    for document in registry.load(database):
        counted[document.state] += 1
    counted["deleted"] = database.fetch("SELECT count(*) FROM tvdb.documents WHERE state = 'deleted'")[0][0]
    assert by(series, "tvdb_documents", "state") == counted
    assert value(series, "tvdb_documents_due") == len(registry.resumable(database, 5))
    documents = overview(database)
    assert value(series, "tvdb_provisional_vectors") == sum(one["provisional_vectors"] for one in documents)
    rows, cached = database.fetch(
        "SELECT (SELECT count(*) FROM tvdb.vector_rows), (SELECT count(*) FROM tvdb.embedding_cache)"
    )[0]
    assert (value(series, "tvdb_vector_rows"), value(series, "tvdb_cached_texts")) == (rows, cached)


def compare_journal(series: Series, database: Database) -> None:
    """Counted here one by one, with other means than there."""
    entries = database.fetch(
        """SELECT state, code, seconds FROM tvdb.journal
           WHERE event = 'state' AND state IN ('ready', 'partial', 'deferred', 'rejected', 'failed')"""
    )
    for state, told in by(series, "tvdb_document_ends_total", "state").items():
        assert told == sum(1 for entry in entries if entry[0] == state)
    for state, code in {(state, code) for state, code, _ in entries if code is not None}:
        expected = sum(1 for entry in entries if entry[:2] == (state, code))
        assert value(series, "tvdb_document_errors_total", state=state, code=code) == expected
    assert total(series, "tvdb_document_errors_total") == sum(1 for entry in entries if entry[1] is not None)
    for stage in ("parse", "chunk", "embed", "store"):
        took = [seconds[stage] for _, _, seconds in entries if seconds[stage] > 0]
        assert value(series, "tvdb_stage_seconds_count", stage=stage) == len(took)
        assert value(series, "tvdb_stage_seconds_sum", stage=stage) == pytest.approx(sum(took), abs=1e-9)
        for bound in BOUNDS:
            expected = sum(1 for one in took if one <= bound)
            assert value(series, "tvdb_stage_seconds_bucket", stage=stage, le=f"{bound}") == expected


def sank(before: Series, after: Series) -> list[object]:
    """Series of counters that fell or went."""
    return [key for key, number in before.items() if key[0] in COUNTERS and after.get(key, -1.0) < number]


def test_with_the_mock_every_figure_is_that_of_the_tables(shop: Workshop, scrape: Scrape) -> None:
    compare(scrape(), shop)
    fill(shop.settings.upload_dir, 3)
    (shop.settings.upload_dir / "damaged.pdf").write_bytes(b"%PDF-1.7\nnothing of use")
    ingest(shop)
    series = scrape()
    compare(series, shop)
    assert by(series, "tvdb_documents", "state") | {"ready": 3, "rejected": 1} == by(series, "tvdb_documents", "state")
    assert total(series, "tvdb_requests_total", paid="no") > 0 == total(series, "tvdb_requests_total", paid="yes")


def test_with_a_provider_that_fails_now_and_then_every_figure_is_that_of_the_tables(
    make_shop: Shops, fake_openai: FakeOpenAI, scrape: Scrape
) -> None:
    shop = paid(make_shop, fake_openai)
    fill(shop.settings.upload_dir, 3)
    fake_openai.script = in_turn(Refusal(500, "server_error"), Hang(3.0, charged=True))
    ingest(shop)
    series = scrape()
    compare(series, shop)
    assert (
        total(series, "tvdb_requests_total", state="released", paid="yes")
        + total(series, "tvdb_requests_open", state="charged_unknown")
        == 2
    )
    assert value(series, "tvdb_charged_unknown_nanodollars", purpose="documents") > 0
    assert value(series, "tvdb_settled_nanodollars_total", purpose="documents") > 0


def test_totals_never_fall_and_stay_exact_while_documents_come_fail_and_go(
    make_shop: Shops, fake_openai: FakeOpenAI, scrape: Scrape
) -> None:
    shop = paid(make_shop, fake_openai)
    before = scrape()
    fill(shop.settings.upload_dir, 2)
    steps: list[Callable[[], object]] = [
        lambda: ingest(shop),
        lambda: None,
        lambda: remove_first(shop),
        lambda: fill(shop.settings.upload_dir, 2, first=5),
        lambda: setattr(fake_openai, "refuse", lambda _: Refusal(401, "invalid_api_key")),
        lambda: ingest(shop),
        lambda: None,
    ]
    for step in steps:
        step()
        after = scrape()
        compare(after, shop)
        assert sank(before, after) == []
        before = after
    assert by(before, "tvdb_documents", "state")["deleted"] == 1
    assert value(before, "tvdb_document_ends_total", state="ready") == 2
    assert value(before, "tvdb_document_errors_total", state="deferred", code="auth") > 0
    assert by(before, "tvdb_breaker_state", "state") == {"closed": 0, "open": 1, "half_open": 0}
    assert value(before, "tvdb_breaker_trips") == shop.embedding.breaker.state().trips == 1
    assert by(before, "tvdb_oldest_waiting_seconds", "state")["deferred"] > 0


def test_an_endpoint_that_starts_later_says_the_same(shop: Workshop, settings: Settings, scrape: Scrape) -> None:
    for number in range(3):
        fill(settings.upload_dir, 1, first=number)
        ingest(shop)
        long_running = scrape()
    with endpoint(settings) as fresh:
        newly = fresh()
    differ = {name for (name, labels), number in newly.items() if long_running[name, labels] != number}
    moving = {"tvdb_scrape_seconds", "tvdb_process_resident_bytes", "tvdb_database_bytes", "tvdb_database_connections"}
    assert {name for name in differ if not name.startswith(("tvdb_disk", "tvdb_memory"))} <= moving


def test_the_breaker_has_one_series_for_each_state_and_one_is_set(database: Database, scrape: Scrape) -> None:
    state = Breaker(database, "somebody").state().state
    told = by(scrape(), "tvdb_breaker_state", "state")
    assert {name for name, number in told.items() if number} == {state} < set(told)
