"""A server that writes what it is told, byte by byte, to whoever asks: for answers no honest HTTP server would give.

Belongs here: the socket. Does not: the embeddings protocol (`fake_openai`).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass
class RawServer:
    """url: where it is asked; asked: the heads of all requests, as they came."""

    url: str
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def writing(pieces: Iterable[bytes], pause: float = 0.0) -> Iterator[RawServer]:
    """A server that writes these pieces to each caller, `pause` seconds apart, until they end or the caller is gone."""
    over = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = RawServer(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        thread = threading.Thread(target=_serve, args=(listener, server, pieces, pause, over), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def whole(body: bytes, head: bytes = GOOD) -> list[bytes]:
    return [head + b"Content-Length: %d\r\n\r\n" % len(body) + body]


def _serve(
    listener: socket.socket, server: RawServer, pieces: Iterable[bytes], pause: float, over: threading.Event
) -> None:
    while not over.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with closing(connection), suppress(OSError):
            server.asked.append(_request(connection))
            for piece in pieces:
                if over.wait(pause):
                    return
                connection.sendall(piece)


def _request(connection: socket.socket) -> bytes:
    """The head of a request, once its body has been read, too."""
    got = b""
    connection.settimeout(5)
    while b"\r\n\r\n" not in got:
        got += connection.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65_536)
    return head


def spent(since: float) -> float:
    """Seconds since a moment of the monotonic clock."""
    return time.monotonic() - since
