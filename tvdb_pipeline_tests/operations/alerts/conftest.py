"""A webhook and a mail server that keep what they are given, and settings that name them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from tvdb_pipeline.settings import Settings


class Receiver:
    """An HTTP server in a thread. status: what it answers, a function of the text; texts: of what it answered with 2xx."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.status: Callable[[str], int] = lambda _: 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                text = json.loads(body)["text"]
                receiver.requests.append(("POST", self.path))
                status = receiver.status(text)
                if 200 <= status < 300:
                    receiver.texts.append(text)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/T0/B0/secretpath"

    def named(self, name: str) -> list[str]:
        """Headlines of messages about alerts of this name."""
        heads = [text.splitlines()[0] for text in self.texts]
        return [head for head in heads if f" {name}" in head]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Mails:
    """What a mail server took."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.refusing = False

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusing:
            return "451 try later"
        self.envelopes.append(envelope)
        return "250 OK"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def mail_server() -> Iterator[tuple[Mails, str]]:
    """The mails taken, and the server's URL."""
    mails = Mails()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()
    yield mails, f"smtp://127.0.0.1:{port}"
    controller.stop(no_assert=True)


@pytest.fixture
def telling(settings: Settings, receiver: Receiver) -> Settings:
    """Settings with the webhook."""
    return settings.model_copy(update={"alert_webhook_url": SecretStr(receiver.url)})
