"""With redaction on, what is sent holds no number that names a person; what is stored does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import redactions
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.quoting import quote_places
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Shops = Callable[..., Workshop]
SECRET = "123-45-6789"
LETTER = f"The claimant gave her number.\n\nSSN: {SECRET}. She can be reached at ada@example.org.\n"
PLAIN = "Water damage from a burst pipe is covered up to the limit of coverage A.\n"


@pytest.fixture
def provider(fake_openai: FakeOpenAI) -> OpenAIClient:
    return OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, timeout=10)


def ingest(shop: Workshop) -> list[str]:
    plan = make_plan(shop, [shop.settings.upload_dir])
    list(walk(shop, plan.stale))
    return plan.stale


def write(shop: Workshop) -> None:
    (shop.settings.upload_dir / "letter.txt").write_text(LETTER)
    (shop.settings.upload_dir / "plain.txt").write_text(PLAIN)


def test_texts_and_queries_leave_redacted_and_rows_stay_whole(
    make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI, database: Database
) -> None:
    shop = make_shop(provider, redact_before_embedding=True)
    write(shop)
    quote = quote_places(shop, [shop.settings.upload_dir])
    ingest(shop)
    sent = "".join(fake_openai.texts)
    assert SECRET not in sent
    assert "<SSN>" in sent
    assert SECRET in "".join(row[0] for row in database.fetch("SELECT text FROM tvdb.vector_rows"))
    assert quote.tokens == sum(charge.tokens for charge in fake_openai.charges)
    found = answer(shop, f"whose number is {SECRET}?", 3, "fused")
    assert SECRET not in "".join(fake_openai.texts)
    assert any(SECRET in passage.text for passage in found.passages)
    told = redactions.sent(database, shop.ledger.day_starts())
    assert told.texts == len(fake_openai.texts)
    assert told.redacted == {"EMAIL": 1, "SSN": 2}


def test_switching_it_on_sends_only_the_texts_it_changes(
    make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI, database: Database
) -> None:
    before = make_shop(provider)
    write(before)
    ingest(before)
    already = len(fake_openai.texts)
    shop = make_shop(provider, redact_before_embedding=True)
    assert len(ingest(shop)) == 2
    assert len(fake_openai.texts) == already + 1
    assert ingest(shop) == []
    vectors = database.fetch("SELECT count(*) FROM tvdb.vector_rows WHERE embedding IS NULL")
    assert vectors[0][0] == 0
    # The vector of what was sent once is found by the document's texts, so that erasing the document finds it.
    names = database.fetch("SELECT count(*) FROM tvdb.embedding_cache c JOIN tvdb.document_texts t USING (text_sha256)")
    assert names[0][0] == already + 1


def test_switched_off_nothing_is_looked_for(make_shop: Shops, provider: OpenAIClient, fake_openai: FakeOpenAI) -> None:
    shop = make_shop(provider)
    assert shop.redactor is None
    write(shop)
    ingest(shop)
    assert SECRET in "".join(fake_openai.texts)
