"""Answering a query: embed it as the rows were embedded, then search.

Belongs here: a vector of the query for each model present, through cache and ledger. Does not: ranking (`vectorstore.search`).
A model whose vector is refused simply has no list; the others answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.database import audit_trail
from tvdb_pipeline.documents.identity import identity
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.client import EmbeddingClient, Vectors
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.embedding.requests import Wanted, text_hash
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.redaction.redactor import Redacted
from tvdb_pipeline.vectorstore.search import Mode, Passage, documents_within, models_present, search

_MAX_QUERY_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Answer:
    """The passages, and the mode that was really used: `lexical` where no query vector was to be had.

    refusals: why a model has no query vector, so that its rows were found by full text only.
    """

    passages: list[Passage]
    mode: Mode
    refusals: list[TvdbError]


def answer(shop: Workshop, query: str, k: int, mode: Mode, within: Sequence[str] = ()) -> Answer:
    """The best `k` passages for a query. within: the only places to search, documents' keys or paths of files and folders.

    Raises TvdbError: `bad_query` for one that is empty or too long, `not_registered` for a place without a document.
    """
    query = " ".join(query.encode("utf-8", "replace").decode().split())
    if not query or count_tokens(query) > _MAX_QUERY_TOKENS:
        raise TvdbError("bad_query", f"A query needs between 1 and {_MAX_QUERY_TOKENS} tokens.")
    keys = {key for place in within for key in _documents(shop, place)} if within else None
    vectors: dict[str, Vectors] = {}
    refusals: list[TvdbError] = []
    if mode != "lexical":
        for model in models_present(shop.database):
            vector, refusal = _vector(shop, model, query)
            if vector is not None:
                vectors[model] = vector
            elif refusal is not None:
                refusals.append(refusal)
    used: Mode = mode if vectors else "lexical"
    passages = search(shop.database, query, vectors, k, mode=used, within=keys)
    shown = sorted({passage.key for passage in passages})
    with shop.database.connection() as conn:
        # Before anybody sees them: what cannot be put on record is not shown.
        audit_trail.add(conn, "searched", {"mode": used, "passages": len(passages), "documents": shown})
    return Answer(passages, used, refusals)


def _documents(shop: Workshop, place: str) -> list[str]:
    """Keys of the documents of a place as a user names it: a key, a path as `tvdb status` shows it, or one from here."""
    upload_dir = shop.settings.upload_dir
    path = identity(Path(place), upload_dir)
    names = {place, path} | ({"."} if path.startswith("/") and upload_dir.is_relative_to(path) else set[str]())
    keys = [key for name in names if place for key in documents_within(shop.database, name)]
    if not keys:
        raise TvdbError("not_registered", "No document has this key or lies under this path; tvdb status lists them.")
    return keys


def _vector(shop: Workshop, model: str, query: str) -> tuple[Vectors | None, TvdbError | None]:
    client = _client_of(shop, model)
    if client is None:
        return None, None
    redacted = shop.redactor.redact(query) if shop.redactor else Redacted(query, {})
    if not client.paid:
        return client.embed([redacted.text]).vectors[0], None
    name = text_hash(redacted.text)
    vector = cache.get(shop.database, model, name)
    if vector is not None:
        return vector, None
    wanted = Wanted(redacted.text, name, count_tokens(redacted.text), None, redacted.counts)
    purchase = shop.embedding.buy([wanted], purpose="query", stand_in=False)
    return cache.get(shop.database, model, name), purchase.failure


def _client_of(shop: Workshop, model: str) -> EmbeddingClient | None:
    own = shop.embedding.client
    if model == MOCK_MODEL:
        return MockClient()
    return own if own.model == model and own.paid else None
