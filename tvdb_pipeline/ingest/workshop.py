"""Everything a walk works with, as plain objects.

Belongs here: the bundle and its making from settings. Does not: any work.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvdb_pipeline.budget.ledger import Ledger, Limits
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents.artifacts import ArtifactStore
from tvdb_pipeline.embedding.client import EmbeddingClient
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.pool import ParserPool
from tvdb_pipeline.settings import Settings


@dataclass(slots=True)
class Workshop:
    """settings, database, artifacts, the embedding service with its ledger, and how to start parsing processes."""

    settings: Settings
    database: Database
    artifacts: ArtifactStore
    embedding: EmbeddingService
    ledger: Ledger
    lease_seconds: float = 60.0

    def parsers(self) -> ParserPool:
        """A pool of parsing processes, started as they are needed; the caller closes it."""
        settings = self.settings
        options = ParseOptions(settings.pdf_engine, settings.ocr_engine, settings.max_document_mb << 20)
        return ParserPool(settings.worker_count, options, settings.parse_timeout_seconds, settings.parse_memory_mb)


def limits_of(settings: Settings) -> Limits:
    """The limits the settings state."""
    return Limits(settings.daily_limit_nano, settings.hourly_request_limit, settings.document_limit_nano)


def build_workshop(
    settings: Settings, database: Database, client: EmbeddingClient, artifacts: ArtifactStore | None = None
) -> Workshop:
    """The workshop of these settings around a database and a client."""
    ledger = Ledger(database, limits_of(settings))
    store = artifacts or ArtifactStore(settings.home / "artifacts")
    return Workshop(settings, database, store, EmbeddingService(client, ledger, database), ledger)
