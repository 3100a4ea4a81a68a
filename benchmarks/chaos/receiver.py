"""Where alerts are sent to: a webhook that keeps what it is told.

Belongs here: receiving. Does not: judging.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Message(NamedTuple):
    """What came, and when (seconds since 1970)."""

    at: float
    text: str


@contextmanager
def receiver() -> Generator[tuple[str, list[Message]]]:
    """Its URL on this machine, and the messages, which go on coming until it is left."""
    messages: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages.append(Message(time.time(), body["text"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alerts", messages
    finally:
        server.shutdown()
        server.server_close()
