"""Frames on the socket between a parsing process and the one that started it.

Belongs here: cutting the stream into frames, deadlines and size limits. Does not: what frames mean (`worker`, `conversation`). A
frame is a tag of one letter, 8 bytes of length, and a body: JSON or plain bytes, never pickle. An open file can ride on one, but
only towards the parsing process.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import Final

HEAD_BYTES: Final = 9
MOST_BYTES: Final = 512 << 20
"""Of one frame: more than the elements of any document within its own limits come to."""
_BLOCK: Final = 1 << 20


class FrameTooLarge(Exception):
    """The other side announced a frame over the limit."""


class Channel:
    """One end of the socket. Closed streams raise EOFError, a deadline passed TimeoutError.

    Deadlines are on time.monotonic() and hold for the whole frame, however slowly its bytes come; None waits for ever.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, tag: bytes, body: bytes, file: int | None = None, deadline: float | None = None) -> None:
        """One frame; `file` is a descriptor the other side gets a copy of."""
        self._wait(deadline)
        head = tag + len(body).to_bytes(HEAD_BYTES - 1, "big")
        if file is None:
            self._end.sendall(head + body if len(body) < _BLOCK else head)
        else:
            socket.send_fds(self._end, [head], [file])
        if file is not None or len(body) >= _BLOCK:
            self._wait(deadline)
            self._end.sendall(body)

    def receive(self, deadline: float | None = None, most: int = MOST_BYTES) -> tuple[bytes, bytes]:
        """(tag, body) of the next frame. Descriptors that ride on it are dropped by the kernel."""
        return self._rest(self._exactly(HEAD_BYTES, deadline), deadline, most)

    def receive_file(self) -> tuple[bytes, bytes, int | None]:
        """(tag, body, descriptor or None) of the next frame, from a side that is trusted."""
        self._wait(None)
        head, files, _, _ = socket.recv_fds(self._end, HEAD_BYTES, 1)
        try:
            if not head:
                raise EOFError
            head += self._exactly(HEAD_BYTES - len(head), None)
            return *self._rest(head, None, MOST_BYTES), files[0] if files else None
        except BaseException:
            for file in files:
                os.close(file)
            raise

    @property
    def quiet(self) -> bool:
        """Whether the other side is there and has said nothing that was not heard yet."""
        self._end.settimeout(0)
        try:
            self._end.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def await_end(self, deadline: float) -> None:
        """Wait until the other side is closed; what it still says is dropped."""
        with suppress(OSError):
            while True:
                self._wait(deadline)
                if not self._end.recv(_BLOCK):
                    return

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _rest(self, head: bytes, deadline: float | None, most: int) -> tuple[bytes, bytes]:
        length = int.from_bytes(head[1:], "big")
        if length > most:
            raise FrameTooLarge
        return head[:1], self._exactly(length, deadline)

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
