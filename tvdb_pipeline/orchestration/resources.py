"""What the op works with, as Dagster resources.

Belongs here: resources that make plain objects from the settings when an op needs them. Does not: keys or URLs as fields: the
UI shows fields, so secrets come from Settings inside `create()`. What they make is imported where it is made: definitions are
loaded by processes that never make any.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from tvdb_pipeline.settings import load_settings

if TYPE_CHECKING:
    from tvdb_pipeline.database.pools import Database
    from tvdb_pipeline.documents.artifacts import ArtifactStore
    from tvdb_pipeline.embedding.client import EmbeddingClient


class EmbeddingClientResource(dg.ConfigurableResource):  # pyright: ignore[reportMissingTypeArgument]
    """Makes the embedding client. mode: MOCK, REAL or HYBRID; empty for TVDB_SERVICE_MODE."""

    mode: str = ""

    def create(self) -> "EmbeddingClient":
        """The plain client of the mode."""
        from tvdb_pipeline.embedding.modes import create_client

        settings = load_settings()
        if self.mode:
            settings = settings.model_copy(update={"service_mode": self.mode.upper()})
        return create_client(settings)


class DatabaseResource(dg.ConfigurableResource):  # pyright: ignore[reportMissingTypeArgument]
    """Opens the project's database."""

    @contextmanager
    def open(self) -> "Generator[Database]":
        """The database, closed on leaving."""
        from tvdb_pipeline.database.pools import open_database

        database = open_database(load_settings())
        try:
            yield database
        finally:
            database.close()


class ArtifactsResource(dg.ConfigurableResource):  # pyright: ignore[reportMissingTypeArgument]
    """Gives the artifact store: under TVDB_HOME, or TVDB_ARTIFACT_URL."""

    def create(self) -> "ArtifactStore":
        """The store."""
        from tvdb_pipeline.documents.artifacts import open_store

        return open_store(load_settings())
