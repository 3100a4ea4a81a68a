"""What is quoted is what is billed, and what cannot be paid for waits and goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tvdb_pipeline.budget.bills import bills
from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.ingest import buying
from tvdb_pipeline.ingest.batching import contiguous_ranges, run_size
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.quoting import quote_places
from tvdb_pipeline.ingest.sweeping import due
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

Shops = Callable[..., Workshop]


@pytest.fixture
def provider(fake_openai: FakeOpenAI) -> OpenAIClient:
    return OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, timeout=10)


def fill(folder: Path, count: int) -> None:
    """Documents of different lengths, each fifth a copy of another one, and one that cannot be read."""
    for number in range(count):
        seed = number - 1 if number % 5 == 4 else number
        (folder / f"{number:02}.pdf").write_bytes(flowing_pdf(paragraphs(1 + (seed * 7) % 9, seed=seed)))
    (folder / "damaged.pdf").write_bytes(b"%PDF-1.7\nnothing of use")


def run(shop: Workshop) -> None:
    """As the command line does: runs of neighbours, one after the other."""
    plan = make_plan(shop, [shop.settings.upload_dir])
    order = [document.key for document in registry.load(shop.database)]
    for batch in contiguous_ranges(order, plan.stale, run_size(shop), {}):
        list(walk(shop, batch))


def states(shop: Workshop) -> list[str]:
    return [document.state for document in registry.load(shop.database)]


def an_hour_passes(shop: Workshop) -> None:
    """Every moment on record moves back by an hour."""
    shop.database.run("UPDATE tvdb.requests SET slot_until = slot_until - interval '1 hour'")
    shop.database.run("UPDATE tvdb.documents SET next_attempt_at = next_attempt_at - interval '1 hour'")


def test_the_bill_is_the_quote_to_the_request(
    make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small requests, so that where one ends and the next begins depends on the order of documents.
    small = [(packer.__defaults__, packer) for packer in (buying.Packer.__init__, quote_places.__globals__["pack"])]
    for _, packer in small:
        monkeypatch.setattr(packer, "__defaults__", (4, 900))
    shop = make_shop(provider, documents_per_run=6, parse_workers=2)
    fill(shop.settings.upload_dir, 20)
    quote = quote_places(shop, [shop.settings.upload_dir])
    assert fake_openai.attempts == 0
    assert quote.requests > 8
    run(shop)
    billed = bills(shop.database, [document.key for document in registry.load(shop.database)])
    assert (quote.documents, quote.refused, quote.affordable) == (20, 1, True)
    assert quote.texts == len(fake_openai.texts)
    assert (
        quote.tokens == sum(charge.tokens for charge in fake_openai.charges) == sum(b.tokens for b in billed.values())
    )
    assert quote.requests == fake_openai.attempts
    assert quote.cost_nano == fake_openai.bill_nano == shop.ledger.state().spent_nano
    again = quote_places(shop, [shop.settings.upload_dir])
    assert (again.texts, again.requests, again.cost_nano) == (0, 0, 0)


def test_a_document_over_its_limit_is_not_in_the_quote_as_it_is_not_in_the_bill(
    make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    shop = make_shop(provider, document_cost_limit_usd=0.00001)
    fill(shop.settings.upload_dir, 10)
    quote = quote_places(shop, [shop.settings.upload_dir])
    assert quote.over_limit > 0
    run(shop)
    assert quote.cost_nano == fake_openai.bill_nano
    assert quote.requests == fake_openai.attempts
    assert states(shop).count("deferred") == quote.over_limit


def test_a_quote_says_what_does_not_fit(make_shop: Shops, provider: OpenAIClient) -> None:
    shop = make_shop(provider, daily_cost_limit_usd=0.000001)
    fill(shop.settings.upload_dir, 2)
    assert not quote_places(shop, [shop.settings.upload_dir]).affordable


def test_work_stops_before_the_call_it_cannot_pay_for_and_goes_on_when_the_window_opens(
    make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    shop = make_shop(provider, documents_per_run=2, hourly_request_limit=2)
    fill(shop.settings.upload_dir, 8)
    run(shop)
    assert fake_openai.attempts == 2
    assert states(shop).count("deferred") == 3, "a copy of what was bought needs nothing"
    waiting = [document for document in registry.load(shop.database) if document.state == "deferred"]
    assert {(document.error or {})["code"] for document in waiting} == {"hour_limit"}
    assert all("resumes by itself at" in (document.error or {})["message"] for document in waiting)
    assert due(shop) == [], "nothing is asked for while the window is closed"
    for _ in range(2):
        an_hour_passes(shop)
        list(walk(shop, [document.key for document in due(shop)][:2]))
    assert states(shop).count("ready") == 8
    assert fake_openai.attempts == 4
    assert len(fake_openai.texts) == len(set(fake_openai.texts))


def test_a_smaller_document_does_not_jump_the_queue_of_a_budget_that_is_spent(
    make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buying.Packer.__init__, "__defaults__", (4, 300_000))
    shop = make_shop(provider, daily_cost_limit_usd=0.00002)
    for number, size in enumerate((8, 30, 1)):
        (shop.settings.upload_dir / f"{number}.pdf").write_bytes(flowing_pdf(paragraphs(size, seed=number)))
    run(shop)
    attempted = fake_openai.attempts
    assert states(shop)[1:] == ["deferred", "deferred"]
    assert fake_openai.bill_nano <= shop.ledger.limits.daily_nano
    run(shop)
    assert fake_openai.attempts == attempted, "what did not fit is still not asked for"


def test_a_request_larger_than_what_is_left_of_the_day_is_cut_to_what_fits(
    make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    shop = make_shop(provider)
    fill(shop.settings.upload_dir, 20)
    tokens = quote_places(shop, [shop.settings.upload_dir]).tokens
    small = make_shop(provider, daily_cost_limit_usd=tokens // 3 * 20 / 1e9)
    run(small)
    assert fake_openai.attempts == 1
    assert 0.8 * small.ledger.limits.daily_nano < fake_openai.bill_nano <= small.ledger.limits.daily_nano
    assert 0 < states(small).count("ready") < 20
    run(small)
    assert fake_openai.attempts == 1, "what does not fit is not asked for"
    # The next day.
    small.database.run("UPDATE tvdb.dollar_windows SET starts = starts - interval '1 day'")
    small.database.run("UPDATE tvdb.requests SET day_starts = day_starts - interval '1 day'")
    small.database.run("UPDATE tvdb.documents SET next_attempt_at = next_attempt_at - interval '1 day'")
    list(walk(small, [document.key for document in due(small)]))
    assert fake_openai.attempts == 2
    assert len(fake_openai.texts) == len(set(fake_openai.texts))
