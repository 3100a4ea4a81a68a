"""Nothing reaches a provider before the operator has stated an agreement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from pydantic import SecretStr

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.modes import create_client
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.operations.readiness import provider
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI


@pytest.fixture
def unstated(settings: Settings, fake_openai: FakeOpenAI) -> Callable[[str], Settings]:
    """Settings of a mode with a key and a provider that answers, but no word on an agreement."""
    return lambda mode: settings.model_copy(
        update={
            "service_mode": mode,
            "openai_api_key": SecretStr("sk-test"),
            "openai_base_url": fake_openai.url,
            "provider_agreement": None,
        }
    )


def opened(settings: Settings, database: Database) -> Workshop:
    return build_workshop(settings, database, create_client(settings))


@pytest.mark.parametrize("mode", ["REAL", "HYBRID"])
def test_without_a_stated_agreement_no_document_query_or_question_is_sent(
    mode: Literal["REAL", "HYBRID"],
    unstated: Callable[[str], Settings],
    database: Database,
    fake_openai: FakeOpenAI,
) -> None:
    shop = opened(unstated(mode), database)
    (shop.settings.upload_dir / "letter.txt").write_text("Water damage from a burst pipe is covered.\n")
    plan = make_plan(shop, [shop.settings.upload_dir])
    list(walk(shop, plan.stale))
    answer(shop, "burst pipe", 3, "fused")
    rows = list(provider.rows(shop.settings.model_copy(update={"env": "production"})))
    assert fake_openai.attempts == 0
    assert fake_openai.log == []
    assert not any(row.passed for row in rows if row.needed)


def test_with_one_the_same_documents_are_sent(
    unstated: Callable[[str], Settings], database: Database, fake_openai: FakeOpenAI
) -> None:
    shop = opened(unstated("REAL").model_copy(update={"provider_agreement": "synthetic"}), database)
    (shop.settings.upload_dir / "letter.txt").write_text("Water damage from a burst pipe is covered.\n")
    list(walk(shop, make_plan(shop, [shop.settings.upload_dir]).stale))
    assert len(fake_openai.texts) == 1
