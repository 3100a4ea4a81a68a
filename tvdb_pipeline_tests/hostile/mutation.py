"""Small changes to sound files that decoders may trip over.

Belongs here: changing bytes, also inside archives and compressed streams. Does not: what is done with the result (`fuzz`).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from random import Random

from tvdb_pipeline_tests.hostile.deflate import archive, packed

_NUMBER = re.compile(rb"\d{1,9}")
_STREAM = re.compile(rb"stream\r?\n(.{8,200000}?)\r?\nendstream", re.DOTALL)
_EXTREMES = (
    b"0",
    b"-1",
    b"1e9",
    b"65536",
    b"2147483647",
    b"2147483648",
    b"4294967295",
    b"99999999999999999999",
    b"nan",
    b"",
)
_BINARY = tuple(
    value.to_bytes(4, order) for value in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF) for order in ("little", "big")
)
TOKENS = (
    b"endobj", b"endstream", b"stream\n", b"/Length", b"/Kids", b"/Parent 2 0 R", b"/Filter", b"<<", b">>", b"[",
    b"]", b"(", b"BT", b"Do", b"<w:p>", b"</w:p>", b"<w:tbl>", b"<a:t>", b"]]>", b"<!--", b"<![CDATA[", b"&amp;",
    b"&#0;", b"&#xD800;", b"<table>", b"<td colspan=99>", b"Content-Type: message/rfc822\n\n", b"--b\n",
    b"=?utf-8?B?", b"\r\n\r\n", b"%00", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"IDAT", b"IEND",
    b"iCCP", b"\xff\xda", b"\xff\xc4", b"Exif", b"PK\x01\x02", b"PK\x05\x06", b"../", b'"', b"```", b"|", b"\t",
    b"\x1b", b"'",
)  # fmt: skip


def mutated(data: bytes, other: bytes, random: Random) -> bytes:
    """The data with one to four changes; other: a file to take pieces from."""
    inside = random.random()
    if data.startswith(b"PK") and inside < 0.8:
        return _inside_archive(data, other, random)
    if b"%PDF-" in data[:1024] and inside < 0.5:
        return _inside_stream(data, other, random)
    return _changed(data, other, random)


def _changed(data: bytes, other: bytes, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(_CHANGES)(data, other, random)
    return data


def _inside_archive(data: bytes, other: bytes, random: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = random.choice(list(parts))
    parts[name] = _changed(parts[name], other, random)
    if random.random() < 0.1:
        del parts[random.choice(list(parts))]
    return archive([packed(name, content) for name, content in parts.items()])


def _inside_stream(data: bytes, other: bytes, random: Random) -> bytes:
    streams = list(_STREAM.finditer(data))
    if not streams:
        return _changed(data, other, random)
    chosen = random.choice(streams)
    try:
        content = zlib.compress(_changed(zlib.decompress(chosen[1]), other, random))
    except zlib.error:
        content = _changed(chosen[1], other, random)
    return data[: chosen.start(1)] + content + data[chosen.end(1) :]


def _flip(data: bytes, _: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _number in range(random.choice((1, 1, 3, 20)) if changed else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut_out(data: bytes, _: bytes, random: Random) -> bytes:
    start = random.randint(0, len(data))
    return data[:start] + data[start + random.choice((1, 4, 64, 1024)) :]


def _doubled(data: bytes, _: bytes, random: Random) -> bytes:
    start, length = random.randint(0, len(data)), random.choice((1, 16, 256, 4096))
    return data[:start] + data[start : start + length] * random.choice((2, 2, 10, 100)) + data[start + length :]


def _spliced(data: bytes, other: bytes, random: Random) -> bytes:
    start, place = random.randint(0, len(other)), random.randint(0, len(data))
    return data[:place] + other[start : start + random.choice((4, 64, 1024, 100_000))] + data[place:]


def _torn(data: bytes, _: bytes, random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _token(data: bytes, _: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice(TOKENS) + data[place + random.choice((0, 0, 4)) :]


def _number(data: bytes, _: bytes, random: Random) -> bytes:
    numbers = list(_NUMBER.finditer(data))
    if not numbers:
        return data
    chosen = random.choice(numbers)
    return data[: chosen.start()] + random.choice(_EXTREMES) + data[chosen.end() :]


def _word(data: bytes, _: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice(_BINARY) + data[place + 4 :]


_CHANGES: tuple[Callable[[bytes, bytes, Random], bytes], ...] = (
    _flip, _flip, _cut_out, _doubled, _spliced, _torn, _token, _token, _number, _number, _word,
)  # fmt: skip
