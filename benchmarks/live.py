"""Three examples against a real provider, for a cent at most: does our ledger say what the provider says?

Run by `make live`, which needs OPENAI_API_KEY (and OPENAI_BASE_URL for another endpoint of the same protocol); without a key it
says so and does nothing. What came of it is kept as the record `live`, unless the endpoint is on this machine. Belongs here:
that comparison, and how a bad key is told apart. Does not: any threshold. Database and files are in a temporary folder; the
examples are synthetic, so that sending them needs no agreement.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from tvdb_pipeline.budget.prices import dollars
from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.database.server import start_server, stop_server
from tvdb_pipeline.embedding.client import Embedded, Exchange
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import Wanted, text_hash
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.operations.overview import overview
from tvdb_pipeline.settings import Settings, load_settings

EXAMPLES = Path(__file__).parents[1] / "data" / "examples"
DOCUMENTS = ("homeowner-declarations.pdf", "denial-letter.docx", "premium-rate-notice.md")
QUESTION = "When does the premium change?"
CAP_DOLLARS = Decimal("0.01")
_HERE = ("127.0.0.1", "localhost", "::1")
"""Hosts at which there is no live service."""


class Recording(OpenAIClient):
    """The real client, noting the usage that each answer states."""

    usage: list[int]

    def embed(self, texts: Sequence[str], exchange: Exchange | None = None) -> Embedded:
        """One attempt."""
        answered = super().embed(texts, exchange)
        self.usage.append(answered.tokens)
        return answered


def client_of(settings: Settings, key: str) -> Recording:
    """A client of these settings' endpoint and model."""
    client = Recording(settings.embedding_model, key, settings.openai_base_url, settings.request_timeout_seconds)
    client.usage = []
    return client


def bad_key_code(settings: Settings, database: Database) -> str:
    """What an invalid key is classified as; `accepted` by endpoints that look at none."""
    service = build_workshop(settings, database, client_of(settings, "sk-this-key-is-not-valid")).embedding
    purchase = service.buy([Wanted("test", text_hash("test"), count_tokens("test"), None)], "query")
    return purchase.failure.code if purchase.failure else "accepted"


def run(settings: Settings, database: Database, key: str) -> int:
    """Ingest, search, compare, and print; 0 if ledger and provider agree."""
    client = client_of(settings, key)
    shop: Workshop = build_workshop(settings, database, client)
    for name in DOCUMENTS:
        shutil.copyfile(EXAMPLES / name, settings.upload_dir / name)
    plan = make_plan(shop, [settings.upload_dir])
    list(walk(shop, plan.stale))
    found = answer(shop, QUESTION, 1, "vector").passages
    documents = overview(database, plan.keys)
    booked = database.fetch("SELECT coalesce(sum(tokens), 0)::bigint FROM tvdb.requests WHERE state = 'settled'")[0][0]
    print(f"{client.model} at {settings.openai_base_url or 'OpenAI'}, limit ${CAP_DOLLARS}")
    for document in documents:
        reason = (document["error"] or {}).get("code", "")
        print(f"  {Path(document['path']).name:32} {document['state']:9} {document['vectors']:3} vectors  {reason}")
    print(f"  search: {Path(found[0].path).name if found else 'nothing'} for {QUESTION!r}")
    print(f"  requests {len(client.usage)}, tokens by the provider's usage {sum(client.usage)}, by the ledger {booked}")
    print(f"  cost ${dollars(shop.ledger.state().spent_nano):.6f}")
    cost = dollars(shop.ledger.state().spent_nano)
    bad = bad_key_code(settings, database)
    print(f"  an invalid key is classified as: {bad}")
    figures = {
        "endpoint": "another of the same protocol" if settings.openai_base_url else "OpenAI",
        "model": client.model,
        "states": dict(Counter(str(document["state"]) for document in documents)),
        "requests": len(client.usage),
        "tokens_of_the_provider": sum(client.usage),
        "tokens_of_the_ledger": booked,
        "agrees": booked == sum(client.usage),
        "usd": cost,
        "found": bool(found),
        "invalid_key": bad,
    }
    if urlsplit(settings.openai_base_url or "").hostname not in _HERE:
        _keep(figures)
    ready = all(document["state"] == "ready" for document in documents)
    return 0 if ready and figures["agrees"] and bad in ("auth", "accepted") else 1


def _keep(figures: Mapping[str, object]) -> None:
    # Started as a file, only this folder is on the path.
    sys.path.append(str(Path(__file__).parents[1]))
    from benchmarks import recording

    recording.keep("live", "make live", figures)


def main() -> int:
    """Do nothing without a key; otherwise run in a temporary folder."""
    try:
        settings = load_settings()
    except TvdbError as error:
        print(error.message)
        return 1
    if settings.openai_api_key is None:
        print(
            "OPENAI_API_KEY is not set: nothing was sent. Set it (and OPENAI_BASE_URL for another endpoint) to try it live."
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="tvdb-live-") as name:
        folder = Path(name)
        (folder / "uploads").mkdir()
        changes = {
            "home": folder / "home", "upload_dir": folder / "uploads", "database_url": None, "service_mode": "REAL",
            "provider_agreement": "synthetic", "daily_cost_limit_usd": CAP_DOLLARS,
        }  # fmt: skip
        settings = settings.model_copy(update=changes)
        try:
            url = start_server(folder / "home", leave_running=True)
            settings = settings.model_copy(update={"database_url": SecretStr(url)})
            assert settings.openai_api_key is not None
            database = Database(url).open()
            try:
                return run(settings, database, settings.openai_api_key.get_secret_value())
            finally:
                database.close()
        finally:
            stop_server(folder / "home")


if __name__ == "__main__":
    sys.exit(main())
