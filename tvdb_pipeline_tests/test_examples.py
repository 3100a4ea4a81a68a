"""data/examples from end to end in MOCK mode: every document ready, its questions answered from the right page."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.attachments import descendants
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "data" / "examples"
LEAST_RECALL = 0.8
LEAST_WORDS = {"text": 0.99, "scan": 0.9}


@dataclass
class Example:
    question: str
    document: str
    page: int
    answer: str


@pytest.fixture(scope="module")
def shop(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The examples, ingested once for all tests here."""
    name = "t_examples"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    url = server_url.replace("/postgres?", f"/{name}?", 1)
    home = tmp_path_factory.mktemp("examples")
    settings = Settings(home=home, upload_dir=EXAMPLES, database_url=url, service_mode="MOCK")  # pyright: ignore
    database = Database(url).open()
    built = build_workshop(settings, database, MockClient())
    plan = make_plan(built, [EXAMPLES])
    list(walk(built, plan.stale))
    list(walk(built, descendants(database, plan.keys)))
    yield built
    database.close()


@pytest.fixture(scope="module")
def questions() -> list[Example]:
    return [Example(**json.loads(line)) for line in (EXAMPLES / "questions.jsonl").read_text().splitlines()]


def message_of(path: str) -> str:
    """The file a document came in: for an attachment, the message."""
    return path.partition("!/")[0]


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def test_every_example_is_ready_with_every_page_accounted_for(shop: Workshop) -> None:
    documents = registry.load(shop.database)
    assert len(documents) >= 20
    assert {document.path: document.state for document in documents if document.state != "ready"} == {}
    assert all(document.pages == sum(document.page_coverage.values()) > 0 for document in documents)
    assert sum(document.page_coverage["blank"] for document in documents) == 2
    assert sum(document.page_coverage["ocr"] for document in documents) >= 8


def test_search_finds_the_right_document_among_the_first_five(shop: Workshop, questions: list[Example]) -> None:
    assert len(questions) >= 40
    missed = [
        example.question
        for example in questions
        if example.document
        not in [message_of(passage.path) for passage in answer(shop, example.question, 5, "fused").passages]
    ]
    recall = 1 - len(missed) / len(questions)
    assert recall >= LEAST_RECALL, f"recall {recall:.3f}, missed: {missed}"


def test_nearly_all_words_of_every_page_are_in_the_chunks(shop: Workshop) -> None:
    pages = [json.loads(line) for line in (EXAMPLES / "truth.jsonl").read_text().splitlines()]
    found: dict[str, Counter[str]] = {}
    for path, text in shop.database.fetch(
        "SELECT d.path, r.text FROM tvdb.vector_rows r JOIN tvdb.documents d ON d.key = r.document_key"
    ):
        found.setdefault(message_of(path), Counter()).update(words(text))
    truth: dict[tuple[str, str], Counter[str]] = {}
    for page in pages:
        truth.setdefault((page["document"], page["kind"]), Counter()).update(words(page["text"]).keys())
    poor = {}
    for (document, kind), expected in truth.items():
        if kind in LEAST_WORDS:
            # Running headers and footers are left out of chunks on purpose: their words stand on every page.
            count = sum(1 for page in pages if (page["document"], page["kind"]) == (document, kind))
            wanted = {word for word, on in expected.items() if count < 3 or on < count}
            share = len(wanted & found[document].keys()) / len(wanted)
            if share < LEAST_WORDS[kind]:
                poor[document, kind] = round(share, 3)
    assert poor == {}
