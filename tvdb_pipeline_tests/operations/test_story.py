"""One key leads through runs, calls, ledger and alerts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from tvdb_pipeline.cli import app
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.operations.overview import overview
from tvdb_pipeline.operations.story import story
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.prose import paragraphs


def paid(make_shop: Callable[..., Workshop], server: FakeOpenAI, **changes: object) -> Workshop:
    client = OpenAIClient("text-embedding-3-small", "sk-test", server.url, timeout=10)
    return make_shop(client, retry_first_wait_seconds=0.01, **changes)


def ingest(shop: Workshop, run_id: str, *names: str) -> list[str]:
    for number, name in enumerate(names):
        (shop.settings.upload_dir / name).write_text("\n\n".join(paragraphs(8, seed=number)))
    plan = make_plan(shop, [shop.settings.upload_dir])
    list(walk(shop, plan.stale, run_id=run_id))
    return plan.keys


def test_the_calls_in_the_story_carry_the_ids_the_provider_was_given_and_add_up_to_the_bill(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI, database: Database
) -> None:
    shop = paid(make_shop, fake_openai)
    keys = ingest(shop, "run-1", "one.txt", "two.txt")
    for key, document in zip(keys, overview(database, keys), strict=True):
        told = story(database, key)
        assert [event["what"] for event in told] == ["registered", "claimed", "request", "state"]
        assert (told[1]["run_id"], told[3]["run_id"], told[3]["state"]) == ("run-1", "run-1", "ready")
        assert told[2]["request"] in {entry.request_id for entry in fake_openai.log}
        assert told[2]["cost_usd"] == document["cost_usd"] > 0
        assert sum(event.get("tokens", 0) for event in told) == document["tokens"]


def test_an_alert_about_the_document_stands_in_its_story(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI, database: Database
) -> None:
    shop = paid(make_shop, fake_openai)
    (key,) = ingest(shop, "run-1", "one.txt")
    database.run(
        "INSERT INTO tvdb.alerts (name, subject, severity, summary, since, resolved_at)"
        " VALUES ('document_failed', %s, 'warning', 's', now() + interval '1 s', now() + interval '2 s')",
        (key,),
    )
    assert [event["what"] for event in story(database, key)][-2:] == ["alert", "recovery"]


def test_status_of_one_key_tells_its_story(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = ingest(paid(make_shop, fake_openai), "run-1", "one.txt")
    monkeypatch.setenv("TVDB_HOME", str(settings.home))
    assert settings.database_url is not None
    monkeypatch.setenv("TVDB_DATABASE_URL", settings.database_url.get_secret_value())
    answer = CliRunner().invoke(app, ["status", key, "--json"])
    whole = json.loads(answer.stdout)
    assert [document["key"] for document in whole["documents"]] == [key]
    assert [event["what"] for event in whole["story"]] == ["registered", "claimed", "request", "state"]
    shown = CliRunner().invoke(app, ["status", key]).stdout
    assert "run-1" in shown
    assert whole["story"][2]["request"] in shown
