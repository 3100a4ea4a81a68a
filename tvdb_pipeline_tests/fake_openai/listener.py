"""The HTTP server: connections, kept alive between requests, each with a thread of its own.

Belongs here: sockets, threads and how they end. Does not: what is answered, which the `respond` it is given decides.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tvdb_pipeline_tests.fake_openai.answers import Answer, refusal
from tvdb_pipeline_tests.fake_openai.delivery import deliver
from tvdb_pipeline_tests.fake_openai.faults import Fault, Refuse

PATH = "/v1/embeddings"
NO_SUCH_PATH = Refuse(404, "not_found", "no such path", type="invalid_request_error")
GRACE_SECONDS = 2.0

Respond = Callable[[bytes, str, str], tuple[Answer, Fault | None]]
"""(body, request id, API key) to the answer, and the fault that spoils its sending."""


class Listener(ThreadingHTTPServer):
    """Bound to 127.0.0.1. port: 0 is a free one. `closing` is set when it goes down and ends every pause in an answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: Respond, closing: threading.Event) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond, self.closing = respond, closing
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Answers under way are finished without their pauses; then every connection is closed."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        for how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self._hang_up(how)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        # Not shut down before it is closed: that would end the stream in good order, also where a reset is wanted.
        self.close_request(request)

    def close_request(self, request: Any) -> None:
        super().close_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that vanish are what this server is for; anything else is a fault of the test."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def _hang_up(self, how: int) -> None:
        """Idle connections end at once when they can be read no more; those still writing get a moment."""
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(how)
                except OSError:
                    continue  # The client was faster.
            self._changed.wait_for(lambda: not self._open, GRACE_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # The client vanished while asking: nothing arrived that could be answered.
            return
        if self.path == PATH:
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            answer, fault = self.server.respond(body, self.headers.get("X-Client-Request-Id", ""), key)
        else:
            answer, fault = refusal(NO_SUCH_PATH), None
        reusable = deliver(self.connection, answer, fault, self.server.closing)
        if not reusable or self.server.closing.is_set():
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Silent: test output is for tests."""
