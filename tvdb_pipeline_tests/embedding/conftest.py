"""Fixtures of the tests of buying: one database that is emptied for each test, a client of the fake provider, its slips."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline_tests.embedding.provider import client, empty
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI


@pytest.fixture(scope="session")
def embedding_database(server_url: str, template: str) -> Iterator[Database]:
    """Making a database takes longer than most of the tests here: they share one."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE t_embedding TEMPLATE {template}")
    opened = Database(server_url.replace("/postgres?", "/t_embedding?", 1)).open()
    yield opened
    opened.close()


@pytest.fixture
def database(embedding_database: Database) -> Database:
    """That database, with nothing in it."""
    empty(embedding_database)
    return embedding_database


@pytest.fixture
def database_url(database: Database) -> str:
    return database.url


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


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Sockets that were asked for; none is given."""
    asked: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        asked.append(arguments)
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked
