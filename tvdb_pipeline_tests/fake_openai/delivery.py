"""Sending an answer, or failing to.

Belongs here: bytes on a connection, and the faults that lie in their sending. Does not: what the bytes say.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from http.client import responses

from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.answers import Answer
from tvdb_pipeline_tests.fake_openai.faults import Fault

SECONDS_A_BYTE = 0.02
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def deliver(connection: socket.socket, answer: Answer, fault: Fault | None, closing: threading.Event) -> bool:
    """Whether the connection may be used again. closing: set when the server goes down, which ends every pause.

    Raises OSError where the client is gone.
    """
    match fault:
        case faults.Reset():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        case faults.Hang(seconds=seconds):
            closing.wait(seconds)
        case faults.Truncate():
            connection.sendall(_head(answer) + answer.body[: len(answer.body) // 2])
        case faults.Trickle(seconds=seconds):
            _trickle(connection, answer, seconds, closing)
        case _:
            connection.sendall(_head(answer) + answer.body)
            return True
    return False


def _head(answer: Answer) -> bytes:
    phrase = responses.get(answer.status, "Unknown")
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _trickle(connection: socket.socket, answer: Answer, seconds: float, closing: threading.Event) -> None:
    end = time.monotonic() + seconds
    connection.sendall(_head(answer))
    # The last byte is never sent: the caller must not be able to call this an answer.
    for position in range(len(answer.body) - 1):
        left = end - time.monotonic()
        if left <= 0 or closing.wait(min(left, SECONDS_A_BYTE)):
            return
        connection.sendall(answer.body[position : position + 1])
    closing.wait(max(0.0, end - time.monotonic()))
