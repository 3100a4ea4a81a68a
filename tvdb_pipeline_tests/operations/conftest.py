"""Fixtures of backups and what they are read back into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr

from tvdb_pipeline.settings import Settings


@pytest.fixture
def empty(settings: Settings, server_url: str, tmp_path: Path) -> Iterator[tuple[Settings, str]]:
    """An empty database and an empty home: the settings for it, and its URL."""
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")  # pyright: ignore
    url = server_url.replace("/postgres?", f"/{name}?", 1)
    yield settings.model_copy(update={"home": tmp_path / "empty", "database_url": SecretStr(url)}), url
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")  # pyright: ignore
