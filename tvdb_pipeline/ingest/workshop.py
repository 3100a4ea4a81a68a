"""Everything a walk works with, as plain objects.

Belongs here: the bundle and its making from settings. Does not: any work.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import Limits, Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents.artifacts import ArtifactStore, open_store
from tvdb_pipeline.documents.page_shelf import PageShelf
from tvdb_pipeline.embedding.attempts import Patience
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy
from tvdb_pipeline.embedding.client import EmbeddingClient
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline.ingest import terms
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.pool import ParserPool
from tvdb_pipeline.parsing.warm import borrowed
from tvdb_pipeline.redaction.redactor import Redactor
from tvdb_pipeline.settings import Settings
from tvdb_pipeline.storage.urls import open_bucket

if TYPE_CHECKING:
    from tvdb_pipeline.storage.bucket import Bucket


@dataclass(slots=True)
class Workshop:
    """settings, database, artifacts, the embedding service with its ledger, and how to start parsing processes.

    redactor: what is sent goes through it; None: texts are sent as they are; buckets: those opened, by URL.
    """

    settings: Settings
    database: Database
    artifacts: ArtifactStore
    embedding: EmbeddingService
    ledger: Ledger
    redactor: Redactor | None = None
    buckets: dict[str, Bucket] = field(default_factory=dict[str, "Bucket"])

    def parsers(self) -> AbstractContextManager[ParserPool]:
        """A pool of parsing processes, which are started as they are needed and kept warm for the next batch."""
        settings = self.settings
        cap = settings.max_document_mb << 20
        options = ParseOptions(settings.pdf_engine, settings.ocr_engine, cap, settings.max_pages)
        kind = (
            settings.worker_count,
            options,
            settings.parse_timeout_seconds,
            settings.parse_memory_mb,
            settings.page_timeout_seconds,
        )
        return borrowed(kind, lambda: ParserPool(*kind))

    def bucket(self, url: str) -> Bucket:
        """The objects under this URL. Raises TvdbError(`storage_missing` | `bad_setting`)."""
        if url not in self.buckets:
            self.buckets[url] = open_bucket(url, allow_http=self.settings.storage_allow_http)
        return self.buckets[url]

    def shelf(self, key: str, version: str = "") -> PageShelf:
        """Where pages of a document that is not read to the end are kept. version: data version of its parsed text."""
        return PageShelf(self.settings.home / "pages", key, version)


def build_workshop(
    settings: Settings, database: Database, client: EmbeddingClient, artifacts: ArtifactStore | None = None
) -> Workshop:
    """The workshop of these settings around a database and a client. Raises TvdbError(`redaction_missing`)."""
    terms.put_on_record(settings, database)
    ledger = build_ledger(settings, database)
    policy = BreakerPolicy(
        settings.breaker_threshold,
        settings.breaker_cooldown_seconds,
        settings.breaker_longest_cooldown_seconds,
        settings.reservation_lease_seconds + settings.sent_lease_seconds,
    )
    service = EmbeddingService(
        client,
        ledger,
        database,
        Breaker(database, client.subject, policy),
        Slips(settings.home / "slips"),
        Patience(settings.retry_first_wait_seconds, settings.retry_longest_wait_seconds),
    )
    store = artifacts or open_store(settings)
    redactor = Redactor() if settings.redact_before_embedding else None
    return Workshop(settings, database, store, service, ledger, redactor)


def build_ledger(settings: Settings, database: Database) -> Ledger:
    """The ledger under the limits and windows the settings state."""
    limits = Limits(
        settings.daily_limit_nano,
        settings.hourly_request_limit,
        settings.document_limit_nano,
        settings.retry_share,
        settings.retry_floor,
    )
    lengths = Windows(
        settings.request_window_seconds,
        settings.cost_window_seconds,
        settings.reservation_lease_seconds,
        settings.sent_lease_seconds,
        settings.sent_lease_seconds - 2 * settings.request_timeout_seconds,
    )
    return Ledger(database, limits, lengths)
