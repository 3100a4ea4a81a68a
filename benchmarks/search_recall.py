"""How often search finds the document, and the page, that answers each question of data/examples.

Run after `tvdb ingest data/examples` (`make evaluate` does both). Belongs here: asking and counting. Does not: any threshold;
those stand in the tests.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePath

from tvdb_pipeline.database.pools import Database, database_url
from tvdb_pipeline.embedding.modes import create_client
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.settings import load_settings
from tvdb_pipeline.vectorstore.search import Mode

QUESTIONS = Path(__file__).parents[1] / "data" / "examples" / "questions.jsonl"
MODES: tuple[Mode, ...] = ("fused", "vector", "lexical")


def found_at(shop: Workshop, question: dict[str, object], mode: Mode, k: int) -> tuple[bool, bool]:
    """Whether the right document, and its right page, is among the first k passages."""
    passages = answer(shop, str(question["question"]), k, mode).passages
    pages = [
        passage.page for passage in passages if PurePath(passage.path.partition("!/")[0]).name == question["document"]
    ]
    return bool(pages), question["page"] in pages


def main() -> None:
    """Print one row for each search mode."""
    questions = [json.loads(line) for line in QUESTIONS.read_text().splitlines()]
    settings = load_settings()
    database = Database(database_url(settings)).open()
    shop = build_workshop(settings, database, create_client(settings))
    print(f"{len(questions)} questions, client {shop.embedding.client.model}")
    print(f"{'mode':8} {'document in 1':>14} {'in 5':>6} {'page in 1':>10} {'in 5':>6}")
    for mode in MODES:
        first = [found_at(shop, question, mode, 1) for question in questions]
        five = [found_at(shop, question, mode, 5) for question in questions]
        shares = [sum(hit[part] for hit in hits) / len(questions) for part in (0, 1) for hits in (first, five)]
        print(f"{mode:8} {shares[0]:14.3f} {shares[1]:6.3f} {shares[2]:10.3f} {shares[3]:6.3f}")
    database.close()


if __name__ == "__main__":
    main()
