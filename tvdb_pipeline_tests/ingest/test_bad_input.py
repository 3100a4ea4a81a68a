"""Unfit files end with a reason; their neighbours, and earlier good versions, do not notice."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI, Refusal
from tvdb_pipeline_tests.pdf_writer import Page, flowing_pdf, pdf
from tvdb_pipeline_tests.prose import paragraphs

GOOD = flowing_pdf(["The zephyr rider covers hot air balloons up to $900."])


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(GOOD)))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def ingest(shop: Workshop) -> dict[str, registry.Document]:
    plan = make_plan(shop, [shop.settings.upload_dir])
    list(walk(shop, plan.stale))
    return {Path(document.path).name: document for document in registry.load(shop.database, plan.keys)}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.pdf", b"", "empty"),
        ("truncated.pdf", flowing_pdf(paragraphs(30))[:700], "corrupt"),
        ("encrypted.pdf", encrypted(), "encrypted"),
        ("text-named.pdf", b"This is only text.", "wrong_extension"),
        ("program.exe", b"MZ\x90\x00" + bytes(100), "unsupported"),
        ("oversized.pdf", GOOD + bytes(1 << 20), "too_large"),
        ("blank.pdf", pdf(Page(), Page()), "no_text"),
        ("binary.txt", b"abc\x00\x01\x02def", "wrong_extension"),
        ("torn.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "corrupt"),
    ],
)
def test_an_unfit_file_is_rejected_with_one_sentence_and_its_neighbour_is_ready(
    make_shop: Callable[..., Workshop], name: str, content: bytes, code: str
) -> None:
    shop = make_shop(max_document_mb=1)
    (shop.settings.upload_dir / name).write_bytes(content)
    (shop.settings.upload_dir / "good.pdf").write_bytes(GOOD)
    documents = ingest(shop)
    bad, good = documents[name], documents["good.pdf"]
    assert (bad.state, bad.stage) == ("rejected", None)
    assert bad.error is not None
    assert bad.error["code"] == code
    assert bad.error["message"].endswith(".")
    assert name not in bad.error["message"]
    assert (good.state, good.error, good.vectors) == ("ready", None, good.chunks)
    assert good.chunks > 0


def test_a_rejected_file_is_left_alone_until_it_changes(shop: Workshop) -> None:
    file = shop.settings.upload_dir / "policy.pdf"
    file.write_bytes(encrypted())
    assert ingest(shop)["policy.pdf"].state == "rejected"
    assert make_plan(shop, [shop.settings.upload_dir]).stale == []
    file.write_bytes(GOOD)
    assert ingest(shop)["policy.pdf"].state == "ready"


def test_the_earlier_good_version_stays_searchable_while_the_new_one_is_unfit(shop: Workshop) -> None:
    file = shop.settings.upload_dir / "policy.pdf"
    file.write_bytes(GOOD)
    ingest(shop)
    file.write_bytes(encrypted())
    assert ingest(shop)["policy.pdf"].state == "rejected"
    found = answer(shop, "hot air balloons rider", 1, "fused").passages
    assert found
    assert "zephyr" in found[0].text


def refuse_all(code: str, status: int) -> Callable[[list[str]], Refusal | None]:
    return lambda _: Refusal(status, code)


@pytest.mark.parametrize(
    ("status", "code", "kind"), [(429, "insufficient_quota", "quota"), (401, "invalid_api_key", "auth")]
)
def test_a_refusing_provider_defers_documents_which_full_text_finds_meanwhile(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI, status: int, code: str, kind: str
) -> None:
    fake_openai.refuse = refuse_all(code, status)
    client = OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, timeout=10)
    shop = make_shop(client, breaker_cooldown_seconds=0.01)
    (shop.settings.upload_dir / "policy.pdf").write_bytes(GOOD)
    document = ingest(shop)["policy.pdf"]
    assert (document.state, document.stage, document.vectors) == ("deferred", "chunks", 0)
    assert document.error is not None
    assert document.error["code"] == kind
    assert fake_openai.attempts == 1
    found = answer(shop, "hot air balloons", 3, "fused")
    assert (found.mode, len(found.passages)) == ("lexical", 1)

    fake_openai.refuse = lambda _: None
    assert ingest(shop)["policy.pdf"].state == "ready"
    assert answer(shop, "hot air balloons", 3, "fused").mode == "fused"


def test_the_daily_limit_refuses_before_anything_is_sent(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI
) -> None:
    shop = make_shop(
        OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, timeout=10), daily_cost_limit_usd=0
    )
    (shop.settings.upload_dir / "policy.pdf").write_bytes(GOOD)
    document = ingest(shop)["policy.pdf"]
    assert document.state == "deferred"
    assert document.error is not None
    assert document.error["code"] == "day_limit"
    assert fake_openai.attempts == 0


def test_a_document_over_its_own_limit_waits_and_the_others_go_through(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI
) -> None:
    client = OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, timeout=10)
    shop = make_shop(client, document_cost_limit_usd=0.00002)
    (shop.settings.upload_dir / "long.pdf").write_bytes(flowing_pdf(paragraphs(40)))
    (shop.settings.upload_dir / "short.pdf").write_bytes(GOOD)
    documents = ingest(shop)
    error: dict[str, Any] | None = documents["long.pdf"].error
    assert error is not None
    assert (documents["long.pdf"].state, error["code"]) == ("deferred", "document_limit")
    assert documents["short.pdf"].state == "ready"


def test_hybrid_falls_back_to_provisional_vectors_and_replaces_them_when_the_provider_is_back(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI
) -> None:
    from tvdb_pipeline.embedding.modes import HybridClient

    fake_openai.refuse = refuse_all("insufficient_quota", 429)
    client = HybridClient(OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, timeout=10))
    shop = make_shop(client, breaker_cooldown_seconds=0.01)
    (shop.settings.upload_dir / "policy.pdf").write_bytes(GOOD)
    document = ingest(shop)["policy.pdf"]
    assert (document.state, document.provisional_vectors) == ("ready", document.chunks)
    assert document.embedding_model == "mock-hashed-1536"

    fake_openai.refuse = lambda _: None
    document = ingest(shop)["policy.pdf"]
    assert (document.state, document.provisional_vectors) == ("ready", 0)
    assert document.embedding_model == "text-embedding-3-small"
    models = shop.database.fetch("SELECT DISTINCT embedding_model, provisional FROM tvdb.vector_rows")
    assert models == [("text-embedding-3-small", False)]
