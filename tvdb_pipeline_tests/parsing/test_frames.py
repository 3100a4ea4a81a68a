"""Frames on a socket: what goes in comes out, deadlines hold for whole frames, and nothing can be smuggled in."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tvdb_pipeline.parsing.frames import HEAD_BYTES, Channel, FrameTooLarge


def soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def channel(ends: tuple[socket.socket, socket.socket]) -> Channel:
    return Channel(ends[0])


@pytest.fixture
def other(ends: tuple[socket.socket, socket.socket]) -> socket.socket:
    return ends[1]


@pytest.mark.parametrize("size", [0, 1, 1000, (1 << 20) - 1, 1 << 20, 5 << 20])
def test_a_frame_comes_out_as_it_went_in(channel: Channel, other: socket.socket, size: int) -> None:
    body = os.urandom(size)
    sender = threading.Thread(target=Channel(other).send, args=(b"P", body))
    sender.start()
    assert channel.receive(soon()) == (b"P", body)
    sender.join()


def test_an_open_file_goes_with_a_frame(channel: Channel, other: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    file = os.open(tmp_path / "file", os.O_RDONLY)
    channel.send(b"J", b"{}", file, soon())
    os.close(file)
    tag, body, copy = Channel(other).receive_file()
    assert (tag, body) == (b"J", b"{}")
    assert copy is not None
    with os.fdopen(copy, "rb") as opened:
        assert opened.read() == b"content"


def test_frames_follow_one_another(channel: Channel, other: socket.socket) -> None:
    for number in range(3):
        Channel(other).send(b"P", b"%d" % number)
    assert [channel.receive(soon())[1] for _ in range(3)] == [b"0", b"1", b"2"]


def test_descriptors_from_the_other_side_are_not_taken(channel: Channel, other: socket.socket) -> None:
    before = open_files()
    with Path(os.devnull).open("rb") as file:
        head = b"P" + (3).to_bytes(HEAD_BYTES - 1, "big")
        socket.send_fds(other, [head], [file.fileno()] * 3)
        socket.send_fds(other, [b"abc"], [file.fileno()])
    assert channel.receive(soon()) == (b"P", b"abc")
    assert open_files() == before


def test_a_frame_over_the_limit_is_refused_before_it_is_read(channel: Channel, other: socket.socket) -> None:
    other.sendall(b"D" + b"\xff" * (HEAD_BYTES - 1))
    with pytest.raises(FrameTooLarge):
        channel.receive(soon())


def test_a_limit_of_the_moment_holds_too(channel: Channel, other: socket.socket) -> None:
    Channel(other).send(b"D", b"12345")
    with pytest.raises(FrameTooLarge):
        channel.receive(soon(), most=4)


@pytest.mark.parametrize("sent", [b"", b"D", b"D" + (5).to_bytes(8, "big") + b"1234"])
def test_a_stream_that_stops_is_an_end(channel: Channel, other: socket.socket, sent: bytes) -> None:
    other.sendall(sent)
    other.shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        channel.receive(soon())


def test_bytes_that_trickle_in_do_not_move_the_deadline(channel: Channel, other: socket.socket) -> None:
    stop = threading.Event()

    def trickle() -> None:
        other.sendall(b"D" + (1000).to_bytes(8, "big"))
        while not stop.wait(0.02):
            other.sendall(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        with pytest.raises(TimeoutError):
            channel.receive(soon(0.2))
    finally:
        stop.set()
        thread.join()


def test_who_does_not_read_is_not_waited_for(channel: Channel) -> None:
    with pytest.raises(TimeoutError):
        channel.send(b"J", b"x" * (16 << 20), deadline=soon(0.2))


def test_a_channel_is_quiet_until_something_is_said_or_it_is_closed(channel: Channel, other: socket.socket) -> None:
    assert channel.quiet
    other.sendall(b"E")
    assert not channel.quiet
    channel.await_end(soon(0.05))
    assert channel.quiet, "what was said is dropped"
    other.close()
    assert not channel.quiet


def test_the_end_is_waited_for_through_all_that_is_still_said(channel: Channel, other: socket.socket) -> None:
    other.sendall(b"\xff" * 100_000)
    other.close()
    channel.await_end(soon())
    channel.close()
