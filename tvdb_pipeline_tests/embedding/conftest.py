"""Fixtures of the tests of buying: a client of the fake provider, and slips where the services of `make_service` keep theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline_tests.embedding.provider import client
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI


@pytest.fixture
def provider(fake_openai: FakeOpenAI) -> OpenAIClient:
    """The real client, of the fake provider."""
    return client(fake_openai.url)


@pytest.fixture
def slips_folder(tmp_path: Path) -> Path:
    """The folder of every service `make_service` makes."""
    return tmp_path / "slips"


@pytest.fixture
def slips(slips_folder: Path) -> Slips:
    return Slips(slips_folder)
