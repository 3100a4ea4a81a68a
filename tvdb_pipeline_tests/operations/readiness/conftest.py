"""What the checklist asks: a production's settings, a role that is no administrator, a provider and a receiver of alerts."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tvdb_pipeline.operations.preparing import prepare
from tvdb_pipeline.settings import Settings

KEY, MODEL = "sk-right", "text-embedding-3-small"


@dataclass
class Listener:
    """A server on this machine that knows one model, takes alerts, and remembers what was asked."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def provider(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def alerts(self) -> str:
        return f"http://127.0.0.1:{self.port}/alerts"


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """Answers GET /v1/models/MODEL for the right key, and any POST to /alerts."""
    found = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(("GET", self.path))
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                self._answer(401, {"error": {"message": "no", "code": "invalid_api_key"}})
            elif self.path == f"/v1/models/{MODEL}":
                self._answer(200, {"id": MODEL, "object": "model", "created": 0, "owned_by": "test"})
            else:
                self._answer(404, {"error": {"message": "no", "code": "model_not_found"}})

        def do_HEAD(self) -> None:
            self._answer(200, {})

        def do_POST(self) -> None:
            found.asked.append(("POST", self.path))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(200 if self.path == "/alerts" else 404, {})

        def _answer(self, status: int, body: dict[str, object]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield found
        server.shutdown()


def as_administrator(url: str) -> str:
    """The same database as its server's superuser."""
    return url.replace(url.partition("://")[2].partition(":")[0], "postgres", 1)


@pytest.fixture(scope="session")
def role(server_url: str) -> Iterator[str]:
    """The name of a login that may do nothing but what it is made a member of."""
    name = f"tvdb_{uuid4().hex[:8]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def prepared_url(server_url: str, role: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database as `tvdb migrate` makes it; the URL is that of a login of the application."""
    name = f"p_{uuid4().hex[:12]}"
    administrators = server_url.replace("/postgres?", f"/{name}?", 1)
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    before = dict(os.environ)
    prepare(Settings(home=tmp_path_factory.mktemp("home"), database_url=administrators))  # pyright: ignore
    # Dagster's instance sets variables that are of this database.
    os.environ.clear()
    os.environ.update(before)
    with psycopg.connect(administrators, autocommit=True) as conn:
        conn.execute(f"GRANT tvdb_application TO {role}")
    yield administrators.replace("postgres:@", f"{role}:@", 1)
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def production(tmp_path: Path, prepared_url: str, listener: Listener) -> Settings:
    """Settings of a production in REAL that lacks nothing but running servers."""
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    return Settings(
        env="production",
        home=tmp_path / "home",
        upload_dir=uploads,
        database_url=prepared_url,
        service_mode="REAL",
        provider_agreement="synthetic",
        openai_api_key=KEY,
        openai_base_url=listener.provider,
        parse_workers=1,
        alert_webhook_url=listener.alerts,
    )  # pyright: ignore[reportCallIssue]
