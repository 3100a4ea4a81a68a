"""Compressed streams that unpack to far more than was ever held in memory.

Belongs here: long runs of one block as Deflate data, their check sums, and zip archives whose records may lie. Does not: what
the archives pretend to be.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

MEGABYTE: Final = 1 << 20


@cache
def run_of(block: bytes, times: int, wrapped: bool = False) -> bytes:
    """Deflate data of `block`, `times` over; wrapped: with the header and check sum of zlib."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    # After a full flush nothing refers back, so that the same bytes can stand there again.
    piece = squeezer.compress(block) + squeezer.flush(zlib.Z_FULL_FLUSH)
    raw = piece * times + b"\x03\x00"
    if not wrapped:
        return raw
    check = 1
    for _ in range(times):
        check = zlib.adler32(block, check)
    return b"\x78\xda" + raw + struct.pack(">I", check)


@cache
def check_of(block: bytes, times: int) -> int:
    """CRC-32 of that run."""
    check = 0
    for _ in range(times):
        check = zlib.crc32(block, check)
    return check


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive. data: as stored; size: what the records say it unpacks to; method 8: Deflate."""

    name: bytes
    data: bytes
    size: int
    check: int
    method: int = 8
    flags: int = 0
    at: int | None = None
    """Where its data is said to lie, if not where it does."""


def packed(name: str, content: bytes) -> Entry:
    """An honest entry."""
    squeezer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return Entry(name.encode(), squeezer.compress(content) + squeezer.flush(), len(content), zlib.crc32(content))


def bomb(name: str, times: int, block: bytes = bytes(MEGABYTE), lie: int | None = None) -> Entry:
    """An entry that unpacks to `times` blocks; lie: the size the records give instead."""
    size = len(block) * times if lie is None else lie
    return Entry(name.encode(), run_of(block, times), size, check_of(block, times))


def archive(entries: Sequence[Entry], body: bytes = b"") -> bytes:
    """The zip file, after `body`. Entries whose `at` is set add nothing but a record in the directory."""
    body, directory = bytearray(body), bytearray()
    for entry in entries:
        sizes = struct.pack("<III", entry.check, len(entry.data), entry.size)
        common = struct.pack("<HHHHH", 20, entry.flags, entry.method, 0, 0x21) + sizes
        at = len(body) if entry.at is None else entry.at
        if entry.at is None:
            body += b"PK\3\4" + common + struct.pack("<HH", len(entry.name), 0) + entry.name + entry.data
        directory += (
            b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHHHII", len(entry.name), 0, 0, 0, 0, 0, at)
        )
        directory += entry.name
    count = min(len(entries), 0xFFFF)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory) + b"PK\5\6" + end
