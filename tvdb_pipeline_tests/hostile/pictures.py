"""Pictures that claim or unpack to too many pixels or pages, chains of directories, and bloated side data.

Belongs here: PNG, TIFF, JPEG, WEBP, BMP and GIF. Does not: pictures inside other files.
"""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, ImageDraw

from tvdb_pipeline_tests.hostile.cases import READ, TEXTLESS, Family
from tvdb_pipeline_tests.hostile.deflate import MEGABYTE, run_of

pictures = Family("picture")
_ANY = READ | TEXTLESS | {"corrupt"}
_BIG = frozenset({"too_large"})


def drawn(kind: str, **options: object) -> bytes:
    """A small sound picture with a few words."""
    picture, buffer = Image.new("L", (360, 60), 255), io.BytesIO()
    ImageDraw.Draw(picture).text((10, 15), "POLICY 4711", fill=0, font_size=28)
    picture.save(buffer, kind, **options)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def blank(kind: str) -> bytes:
    """A small picture with nothing on it."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(buffer, kind)
    return buffer.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, data: bytes, bits: int = 8, before: bytes = b"", after: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + _chunk(b"IDAT", data) + after + _chunk(b"IEND", b"")


def _with_chunk(chunk: bytes) -> bytes:
    sound = drawn("PNG")
    return sound[:33] + chunk + sound[33:]


def _bomb(megabytes: int) -> bytes:
    return run_of(bytes(MEGABYTE), megabytes, wrapped=True)


pictures.add("dimensions-2147483647.png", lambda _: _png(2**31 - 1, 2**31 - 1, zlib.compress(b"")), _BIG)
pictures.add("dimensions-50000.png", lambda _: _png(50_000, 50_000, _bomb(300), bits=1), _BIG)
pictures.add("within-limit-9900.png", lambda _: _png(9900, 9900, _bomb(94)), _ANY)
pictures.add("strip-100000000x1.png", lambda _: _png(100_000_000, 1, _bomb(96)), _ANY | _BIG)
pictures.add("strip-1x60000000.png", lambda _: _png(1, 60_000_000, _bomb(115)), _ANY | _BIG)
pictures.add("zero-wide.png", lambda _: _png(0, 100, zlib.compress(b"")), "corrupt")
pictures.add("more-data-than-pixels.png", lambda _: _png(100, 100, _bomb(500)), _ANY)
pictures.add("text-bomb.png", lambda _: _with_chunk(_chunk(b"zTXt", b"Comment\0\0" + _bomb(300))), _ANY)
pictures.add("itxt-bomb.png", lambda _: _with_chunk(_chunk(b"iTXt", b"Comment\0\1\0\0\0" + _bomb(300))), _ANY)
pictures.add("profile-bomb.png", lambda _: _with_chunk(_chunk(b"iCCP", b"icc\0\0" + _bomb(300))), _ANY)
pictures.add("chunks-50000.png", lambda _: _with_chunk(_chunk(b"tEXt", b"k\0v") * 50_000), _ANY)
pictures.add("chunk-length-wild.png", lambda _: drawn("PNG")[:33] + b"\xff\xff\xff\xfftEXtabc", "corrupt")
pictures.add("palette-short.png", lambda _: _with_chunk(_chunk(b"PLTE", b"\0")), _ANY)
pictures.add(
    "animated-1000000-frames.png", lambda _: _with_chunk(_chunk(b"acTL", struct.pack(">II", 1_000_000, 0))), _ANY
)


def _tiff(entries: list[tuple[int, int, int, int]], following: int = 0, tail: bytes = b"", first: int = 8) -> bytes:
    """One directory of (tag, type, count, value)."""
    records = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<IH", first, len(entries)) + records + struct.pack("<I", following) + tail


def _gray(width: int, height: int, offset: int, size: int, compression: int = 1) -> list[tuple[int, int, int, int]]:
    values = {256: width, 257: height, 258: 8, 259: compression, 262: 1, 273: offset, 277: 1, 278: height, 279: size}
    return [(tag, 4, 1, value) for tag, value in values.items()]


_DIRECTORY = 2 + 9 * 12 + 4
pictures.add("directory-loop.tiff", lambda _: _tiff(_gray(10, 10, 8, 100), following=8, tail=bytes(200)), _ANY | _BIG)
pictures.add("dimensions-60000.tiff", lambda _: _tiff(_gray(60_000, 60_000, 8, 100), tail=bytes(200)), _BIG)
pictures.add("strip-size-wild.tiff", lambda _: _tiff(_gray(100, 100, 8, 0xFFFFFFF0), tail=bytes(200)), _ANY)
pictures.add("strip-offset-wild.tiff", lambda _: _tiff(_gray(100, 100, 0xFFFFFFF0, 100), tail=bytes(200)), _ANY)
pictures.add("count-wild.tiff", lambda _: _tiff([*_gray(100, 100, 8, 100), (270, 2, 0xFFFFFFFF, 8)]), _ANY)
pictures.add("first-directory-outside.tiff", lambda _: _tiff(_gray(9, 9, 8, 9), first=0x7FFFFFFF), "corrupt")


@pictures.case("directory-cycle-of-two.tiff", _ANY | _BIG)
def _directory_cycle(_: str) -> bytes:
    first = _tiff(_gray(10, 10, 8, 100), following=8 + _DIRECTORY)
    return first + _tiff(_gray(10, 10, 8, 100), following=8, tail=bytes(200))[8:]


@pictures.case("frames-10000.tiff", _BIG)
def _frames(_: str) -> bytes:
    body = bytearray(b"II*\0\x08\0\0\0")
    for number in range(10_000):
        following = 8 + _DIRECTORY * (number + 1) if number < 9999 else 0
        body += _tiff(_gray(10, 10, 8, 100), following=following)[8:]
    return bytes(body) + bytes(200)


@pictures.case("frames-150-large.tiff", _ANY | _BIG)
def _large_frames(_: str) -> bytes:
    """150 pages of 90 million pixels that share the same compressed strip."""
    strip, body = _bomb(86), bytearray(b"II*\0\x08\0\0\0")
    for number in range(150):
        following = 8 + _DIRECTORY * (number + 1) if number < 149 else 0
        body += _tiff(_gray(9400, 9500, 8 + 150 * _DIRECTORY, len(strip), compression=8), following=following)[8:]
    return bytes(body) + strip


@pictures.case("deflate-bomb.tiff", _ANY | _BIG)
def _deflate_strip(_: str) -> bytes:
    strip = _bomb(300)
    return _tiff(_gray(100, 100, 8 + _DIRECTORY, len(strip), compression=8), tail=strip)


@pictures.case("tags-60000.tiff", _ANY)
def _tags(_: str) -> bytes:
    return _tiff(
        [*_gray(10, 10, 8, 100), *((33_000 + number % 30_000, 4, 1, 1) for number in range(60_000))], tail=bytes(200)
    )


def _jpeg_with(segment: bytes) -> bytes:
    sound = drawn("JPEG")
    return sound[:2] + segment + sound[2:]


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _resized(height: int, width: int) -> bytes:
    data = bytearray(drawn("JPEG"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


pictures.add("dimensions-65535.jpg", lambda _: _resized(65_535, 65_535), _BIG)
pictures.add("dimensions-9000.jpg", lambda _: _resized(9000, 9000), _ANY)
pictures.add("torn.jpg", lambda _: drawn("JPEG")[:900], _ANY)
pictures.add("no-tables.jpg", lambda _: drawn("JPEG").replace(b"\xff\xc4", b"\xff\xe5"), _ANY)
pictures.add("comments-20000.jpg", lambda _: _jpeg_with(_segment(0xFE, b"c" * 50) * 20_000), _ANY)
pictures.add("app-segments-torn.jpg", lambda _: _jpeg_with(b"\xff\xe1\xff\xff" + b"Exif\0\0"), _ANY)
pictures.add(
    "profile-pieces-199.jpg",
    lambda _: _jpeg_with(
        b"".join(_segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 199]) + b"p" * 4000) for n in range(1, 200))
    ),
    _ANY,
)


@pictures.case("exif-loop.jpg", _ANY)
def _exif(_: str) -> bytes:
    """EXIF whose directory points at itself, claims four thousand million values, and turns the picture by 255."""
    entries = [(0x0112, 3, 1, 255), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0x010E, 2, 0xFFFFFFFF, 8), (0x011A, 5, 1, 8)]
    return _jpeg_with(_segment(0xE1, b"Exif\0\0" + _tiff(entries, following=8)))


@pictures.case("scans-5000.jpg", _ANY)
def _scans(_: str) -> bytes:
    """A progressive picture with thousands of scans, each of which makes the decoder go over all pixels."""
    sound = drawn("JPEG", progressive=True)
    start = sound.index(b"\xff\xda")
    following = sound.index(b"\xff\xc4", start)
    data = bytearray(sound[:start] + sound[start:following] * 5000 + sound[following:])
    place = data.index(b"\xff\xc2") + 5
    data[place : place + 4] = struct.pack(">HH", 4000, 4000)
    return bytes(data)


def _bitmap(width: int, height: int, bits: int = 24, compression: int = 0, tail: bytes = bytes(100)) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(tail), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(tail), 0, 0, 54) + header + tail


pictures.add("dimensions-2147483647.bmp", lambda _: _bitmap(2**31 - 1, 2**31 - 1), _BIG)
pictures.add("dimensions-negative.bmp", lambda _: _bitmap(-5, -(2**31)), _ANY | _BIG)
pictures.add("too-short.bmp", lambda _: _bitmap(9000, 9000), _ANY)
pictures.add("run-length.bmp", lambda _: _bitmap(9000, 9000, 8, 1, b"\xff\x00" * 100_000), _ANY)
pictures.add("zero.bmp", lambda _: _bitmap(0, 0), "corrupt", TEXTLESS)


@pictures.case("dimensions-16383.webp", _BIG | {"corrupt"})
def _webp(_: str) -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\xff\xff\xff" * 2
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


pictures.add("torn.webp", lambda _: drawn("WEBP")[:60], "corrupt")
pictures.add("length-wild.webp", lambda _: b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff/" + bytes(60), "corrupt")
pictures.add("frames-claimed.gif", lambda _: b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(1000), "unsupported", "corrupt")
pictures.add("gif-named.png", lambda _: drawn("GIF"), "wrong_extension", "unsupported")


@pictures.case("profile-of-noise.jpg", _ANY)
def _odd_profile(_: str) -> bytes:
    return drawn("JPEG", icc_profile=b"\xff\xff\xff\xffacsp" + bytes(range(256)) * 100)


@pictures.case("exif-bomb.webp", _ANY)
def _exif_webp(_: str) -> bytes:
    return drawn("WEBP", exif=b"Exif\0\0" + _tiff([(0x010E, 2, 4_000_000, 8)] * 3000, tail=bytes(500_000)))
