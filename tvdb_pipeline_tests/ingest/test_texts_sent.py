"""What a change of a document costs in texts sent to the provider, counted by the provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.planning import Plan, make_plan
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

PARAGRAPHS = 90


@pytest.fixture
def uploads(settings: Settings) -> Path:
    return settings.upload_dir


@pytest.fixture
def paid_shop(make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI) -> Workshop:
    return make_shop(OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, timeout=10))


def ingest(shop: Workshop, folder: Path) -> tuple[Plan, list[StageOutcome]]:
    plan = make_plan(shop, [folder])
    outcomes = list(walk(shop, plan.stale))
    remove(shop, plan.gone, "vanished")
    return plan, outcomes


def failures(outcomes: Iterable[StageOutcome]) -> list[StageOutcome]:
    return [outcome for outcome in outcomes if outcome.status != "passed"]


@pytest.fixture
def policy(uploads: Path, paid_shop: Workshop, fake_openai: FakeOpenAI) -> Path:
    """A policy of several pages, ingested; the server's counters are at zero again."""
    file = uploads / "policy.pdf"
    file.write_bytes(flowing_pdf(paragraphs(PARAGRAPHS)))
    _, outcomes = ingest(paid_shop, uploads)
    assert not failures(outcomes)
    assert len(fake_openai.texts) > 10
    fake_openai.charges.clear()
    return file


def rows(database: Database) -> int:
    return database.fetch("SELECT count(*) FROM tvdb.vector_rows")[0][0]


def test_an_unchanged_folder_needs_no_run_and_sends_nothing(
    policy: Path, paid_shop: Workshop, fake_openai: FakeOpenAI, uploads: Path
) -> None:
    plan, _ = ingest(paid_shop, uploads)
    assert plan.keys
    assert plan.stale == []
    assert fake_openai.texts == []


def test_one_edited_paragraph_sends_at_most_two_texts(
    policy: Path, paid_shop: Workshop, fake_openai: FakeOpenAI, uploads: Path
) -> None:
    text = paragraphs(PARAGRAPHS)
    text[40] = text[40].replace("clause", "amended clause", 1)
    policy.write_bytes(flowing_pdf(text))
    plan, outcomes = ingest(paid_shop, uploads)
    assert len(plan.stale) == 1
    assert not failures(outcomes)
    assert 1 <= len(fake_openai.texts) <= 2


def test_a_paragraph_inserted_at_the_top_sends_at_most_two_texts_though_every_page_break_moves(
    policy: Path, paid_shop: Workshop, fake_openai: FakeOpenAI, uploads: Path
) -> None:
    new = paragraphs(1, seed=99)
    policy.write_bytes(flowing_pdf([*new, *paragraphs(PARAGRAPHS)]))
    _, outcomes = ingest(paid_shop, uploads)
    assert not failures(outcomes)
    assert 1 <= len(fake_openai.texts) <= 2


def test_a_copied_file_sends_nothing_and_is_searchable_twice(
    policy: Path, paid_shop: Workshop, fake_openai: FakeOpenAI, uploads: Path, database: Database
) -> None:
    before = rows(database)
    (uploads / "copy.pdf").write_bytes(policy.read_bytes())
    _, outcomes = ingest(paid_shop, uploads)
    assert not failures(outcomes)
    assert fake_openai.texts == []
    assert rows(database) == 2 * before


def test_a_renamed_file_sends_nothing_and_leaves_no_rows_under_its_old_name(
    policy: Path, paid_shop: Workshop, fake_openai: FakeOpenAI, uploads: Path, database: Database
) -> None:
    before = rows(database)
    policy.rename(uploads / "renamed.pdf")
    plan, _ = ingest(paid_shop, uploads)
    assert len(plan.gone) == 1
    assert fake_openai.texts == []
    assert rows(database) == before
    assert database.fetch("SELECT count(*) FROM tvdb.vector_rows WHERE document_key = %s", (plan.gone[0],)) == [(0,)]


def test_a_deleted_file_leaves_no_rows(policy: Path, paid_shop: Workshop, uploads: Path, database: Database) -> None:
    policy.unlink()
    ingest(paid_shop, uploads)
    assert rows(database) == 0


def test_many_documents_share_one_request_and_the_ledger_equals_the_bill(
    paid_shop: Workshop, fake_openai: FakeOpenAI, uploads: Path
) -> None:
    for number in range(5):
        (uploads / f"policy-{number}.pdf").write_bytes(flowing_pdf(paragraphs(20, seed=number)))
    _, outcomes = ingest(paid_shop, uploads)
    assert not failures(outcomes)
    assert len(fake_openai.charges) == 1
    state = paid_shop.ledger.state()
    assert state.spent_nano == fake_openai.bill_nano
    assert state.held_nano == 0
