"""How often search finds the document, and the page, that answers each question of data/examples, and how these ended.

Run after `tvdb ingest data/examples` (`make evaluate` does both); keeps the records `search-quality` and `examples`. Belongs
here: asking and counting. Does not: any threshold; those stand in the tests.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from tvdb_pipeline.budget.prices import dollars, price
from tvdb_pipeline.database.pools import Database, database_url
from tvdb_pipeline.documents.stages import STAGES
from tvdb_pipeline.embedding.modes import create_client
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.operations.overview import overview
from tvdb_pipeline.settings import load_settings
from tvdb_pipeline.vectorstore.search import Mode

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "data" / "examples"
QUESTIONS = EXAMPLES / "questions.jsonl"
PRICED = "text-embedding-3-small"
MODES: tuple[Mode, ...] = ("fused", "vector", "lexical")


def found_at(shop: Workshop, question: dict[str, object], mode: Mode, k: int) -> tuple[bool, bool]:
    """Whether the right document, and its right page, is among the first k passages."""
    passages = answer(shop, str(question["question"]), k, mode).passages
    pages = [
        passage.page for passage in passages if PurePath(passage.path.partition("!/")[0]).name == question["document"]
    ]
    return bool(pages), question["page"] in pages


def of_examples(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of all documents, in the form of `overview`, the examples that are not deleted, and their attachments."""
    paths = ((document, Path(document["path"].partition("!/")[0])) for document in documents)
    return [
        document
        for document, path in paths
        if document["state"] != "deleted" and (ROOT / path).is_relative_to(EXAMPLES)
    ]


def ended(documents: Sequence[dict[str, Any]], tokens: Mapping[str, int]) -> dict[str, Any]:
    """What became of documents, in all and by kind. tokens: of the rows of each key. Dollars are what a first embedding of all
    its rows by PRICED costs; seconds those of the last walk."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for document in documents:
        kinds.setdefault(PurePath(document["path"]).suffix.removeprefix("."), []).append(document)
    return {
        "documents": len(documents),
        "states": dict(Counter(document["state"] for document in documents)),
        "last_stage": sum(document["stage"] == STAGES[-1] for document in documents),
        **{key: sum(document[key] or 0 for document in documents) for key in ("pages", "chunks", "vectors")},
        "tokens": sum(tokens.get(document["key"], 0) for document in documents),
        "slowest_seconds": round(max(map(_seconds, documents), default=0.0), 3),
        "dearest_usd": dollars(
            price(PRICED) * max((tokens.get(document["key"], 0) for document in documents), default=0)
        ),
        "rows": [_kind(name, of_kind) for name, of_kind in sorted(kinds.items())],
    }


def _kind(name: str, documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    coverage = [document["page_coverage"] or {} for document in documents]
    return {
        "kind": name,
        "documents": len(documents),
        "searchable": sum(document["state"] in ("ready", "partial") for document in documents),
        "pages": sum(document["pages"] or 0 for document in documents),
        "pages_by_ocr": sum(pages.get("ocr", 0) for pages in coverage),
        "chunks": sum(document["chunks"] or 0 for document in documents),
        "vectors": sum(document["vectors"] or 0 for document in documents),
        "seconds_a_document": round(sum(map(_seconds, documents)) / len(documents), 3),
    }


def _seconds(document: dict[str, Any]) -> float:
    return sum(value or 0.0 for value in document["seconds"].values())


def main() -> None:
    """Print one row for each search mode; keep them, and what became of the examples."""
    # Started as a file, only this folder is on the path.
    sys.path.append(str(ROOT))
    from benchmarks import recording

    questions = [json.loads(line) for line in QUESTIONS.read_text().splitlines()]
    settings = load_settings()
    database = Database(database_url(settings)).open()
    shop = build_workshop(settings, database, create_client(settings))
    print(f"{len(questions)} questions, client {shop.embedding.client.model}")
    print(f"{'mode':8} {'document in 1':>14} {'in 5':>6} {'page in 1':>10} {'in 5':>6}")
    rows: list[dict[str, Any]] = []
    for mode in MODES:
        first = [found_at(shop, question, mode, 1) for question in questions]
        five = [found_at(shop, question, mode, 5) for question in questions]
        shares = [sum(hit[part] for hit in hits) / len(questions) for part in (0, 1) for hits in (first, five)]
        print(f"{mode:8} {shares[0]:14.3f} {shares[1]:6.3f} {shares[2]:10.3f} {shares[3]:6.3f}")
        keys = ("document_in_1", "document_in_5", "page_in_1", "page_in_5")
        rows.append({"mode": mode} | dict(zip(keys, (round(value, 4) for value in shares), strict=True)))
    figures = {"questions": len(questions), "model": shop.embedding.client.model, "rows": rows}
    recording.keep("search-quality", "make evaluate", figures)
    tokens = dict[str, int](database.fetch("SELECT document_key, sum(tokens)::bigint FROM tvdb.vector_rows GROUP BY 1"))  # pyright: ignore
    recording.keep("examples", "make evaluate", ended(of_examples(overview(database)), tokens))
    database.close()


if __name__ == "__main__":
    main()
