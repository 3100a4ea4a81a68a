"""Fixtures all tests share: one embedded PostgreSQL a session, a migrated database of its own for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tvdb_pipeline.budget.ledger import Clock, Ledger
from tvdb_pipeline.budget.orders import Limits, Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.database.server import start_server, stop_server
from tvdb_pipeline.embedding.attempts import Patience
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy
from tvdb_pipeline.embedding.client import EmbeddingClient
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline.embedding.slips import Slips
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.parsing import warm
from tvdb_pipeline.privacy import logs
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

if TYPE_CHECKING:
    from tvdb_pipeline_tests.object_store import ObjectStore

DOLLAR = 10**9
"""In nano-dollars."""
HOUR_AND_DAY = Windows(requests=3600, dollars=86_400, held_lease=60, sent_lease=150, send_within=30)
_LONG = ("resilience/", "test_stability", "test_ledger_machine", "test_examples", "test_cli")
HASTE = Patience(first_wait=0.01, longest=1.0)
_SETTINGS = ("TVDB_", "OPENAI_", "DAGSTER_", "RAY_AUTH_")
logs.strict = True
for _name in [name for name in os.environ if name.startswith(_SETTINGS)]:
    # Settings of the shell the tests run in must not decide how they end.
    if _name != "TVDB_CORPUS":
        del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: not any(part in item.nodeid for part in _LONG))


@pytest.fixture(autouse=True)
def environment_as_before() -> Iterator[None]:
    """Commands set Dagster's variables in their own process; here the next test runs in it, too."""
    before = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
    yield
    for name in [name for name in os.environ if name.startswith(_SETTINGS) and name not in before]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def no_warm_parsers() -> None:
    """End the processes that other tests of this process left warm, for tests that count processes."""
    warm.end()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The embedded server, stopped and removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="tvdb-tests-"))
    try:
        yield start_server(home, leave_running=True)
    finally:
        stop_server(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """A migrated, empty database others are copied from."""
    name = "tvdb_template"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    Database(_with_name(server_url, name)).open().close()
    return name


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """An empty, migrated database, dropped after the test."""
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _with_name(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """That database, open."""
    opened = Database(database_url).open()
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings in MOCK mode with everything under the test's own folder."""
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    return Settings(
        home=tmp_path / "home", upload_dir=uploads, database_url=database_url, service_mode="MOCK", parse_workers=1
    )  # pyright: ignore[reportCallIssue]


@pytest.fixture
def make_shop(settings: Settings, database: Database) -> Callable[..., Workshop]:
    """Builds workshops: `make_shop(client=..., daily_cost_limit_usd=...)`, by default with the mock."""

    def make(client: EmbeddingClient | None = None, **changes: object) -> Workshop:
        return build_workshop(settings.model_copy(update=changes), database, client or MockClient())

    return make


@pytest.fixture
def shop(make_shop: Callable[..., Workshop]) -> Workshop:
    """A workshop with the mock."""
    return make_shop()


@pytest.fixture
def make_ledger(database: Database) -> Callable[..., Ledger]:
    """Builds ledgers: `make_ledger(daily_nano=..., hourly_requests=..., clock=...)`; windows of an hour and a day."""

    def make(
        daily_nano: int = DOLLAR, hourly_requests: int = 100, document_nano: int = DOLLAR, clock: Clock | None = None,
        lengths: Windows = HOUR_AND_DAY, **more: float,
    ) -> Ledger:  # fmt: skip
        limits = Limits(daily_nano, hourly_requests, document_nano, **more)  # pyright: ignore[reportArgumentType]
        return Ledger(database, limits, lengths, clock)

    return make


@pytest.fixture
def make_service(
    database: Database, make_ledger: Callable[..., Ledger], tmp_path: Path
) -> Callable[..., EmbeddingService]:
    """Builds embedding services: `make_service(client, policy=..., patience=..., daily_nano=...)`; retries hardly wait."""

    def make(
        client: EmbeddingClient,
        policy: BreakerPolicy | None = None,
        patience: Patience = HASTE,
        **limits: Any,
    ) -> EmbeddingService:
        breaker = Breaker(database, client.subject, policy)
        return EmbeddingService(client, make_ledger(**limits), database, breaker, Slips(tmp_path / "slips"), patience)

    return make


@pytest.fixture
def fake_openai() -> Iterator[FakeOpenAI]:
    """A running fake provider."""
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def object_storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A running S3 server with an empty bucket, and the environment that leads there."""
    from tvdb_pipeline_tests.object_store import running

    with running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real documents beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("TVDB_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip("the corpus of real documents is absent (set TVDB_CORPUS to its folder)")
    return folder


def _with_name(url: str, name: str) -> str:
    return url.replace("/postgres?", f"/{name}?", 1)
