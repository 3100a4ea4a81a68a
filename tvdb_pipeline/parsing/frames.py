"""Frames on the socket between a parsing process and the one that started it.

Belongs here: cutting the stream into frames, deadlines and size limits. Does not: what frames mean (`worker`, `process`). A
frame is a tag of one letter, 8 bytes of length, and a body: JSON or plain bytes, never pickle. An open file can ride on one.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Final

HEAD_BYTES: Final = 9
MOST_BYTES: Final = 512 << 20
"""Of one frame: more than the elements of any document within its own limits come to."""
_BLOCK: Final = 1 << 20


class FrameTooLarge(Exception):
    """The other side announced a frame over `MOST_BYTES`."""


class Channel:
    """One end of the socket. Closed streams raise EOFError, a deadline passed TimeoutError."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, tag: bytes, body: bytes, file: int | None = None) -> None:
        """One frame; `file` is a descriptor the other side gets a copy of."""
        head = tag + len(body).to_bytes(HEAD_BYTES - 1, "big")
        if file is None:
            self._end.sendall(head + body if len(body) < _BLOCK else head)
        else:
            socket.send_fds(self._end, [head], [file])
        if file is not None or len(body) >= _BLOCK:
            self._end.sendall(body)

    def receive(self, deadline: float | None = None) -> tuple[bytes, bytes, int | None]:
        """(tag, body, descriptor or None) of the next frame. deadline: on time.monotonic()."""
        self._wait(deadline)
        head, files, _, _ = socket.recv_fds(self._end, HEAD_BYTES, 1)
        try:
            head += self._exactly(HEAD_BYTES - len(head), deadline) if head else b""
            if not head:
                raise EOFError
            length = int.from_bytes(head[1:], "big")
            if length > MOST_BYTES:
                raise FrameTooLarge
            return head[:1], self._exactly(length, deadline), files[0] if files else None
        except BaseException:
            for file in files:
                os.close(file)
            raise

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _exactly(self, count: int, deadline: float | None) -> bytes:
        body = bytearray()
        while len(body) < count:
            self._wait(deadline)
            part = self._end.recv(min(count - len(body), _BLOCK))
            if not part:
                raise EOFError
            body += part
        return bytes(body)

    def _wait(self, deadline: float | None) -> None:
        if deadline is None:
            self._end.settimeout(None)
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._end.settimeout(left)
