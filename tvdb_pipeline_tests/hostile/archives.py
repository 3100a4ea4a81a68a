"""Bombs and lies in zip archives that pretend to be Office files.

Belongs here: what is wrong with the archive itself. Does not: what is wrong with the XML in it (`office`).
"""

from __future__ import annotations

import struct
from dataclasses import replace

from tvdb_pipeline_tests.hostile.cases import READ, Family
from tvdb_pipeline_tests.hostile.deflate import MEGABYTE, Entry, archive, bomb, packed, run_of
from tvdb_pipeline_tests.hostile.office_parts import MAIN, Kind, package, parts

archives = Family("archive")
_SPACES = b" " * MEGABYTE
_FLAGGED = 1


def _honest(kind: Kind) -> list[Entry]:
    return [packed(name, content) for name, content in parts(kind).items()]


def _main_bomb(kind: Kind, times: int, lie: int | None = None) -> bytes:
    return package(kind, {MAIN[kind]: bomb(MAIN[kind], times, _SPACES, lie)})


for _kind in ("docx", "pptx", "xlsx"):
    archives.add(f"bomb-main.{_kind}", lambda _, kind=_kind: _main_bomb(kind, 300), "too_large")
    archives.add(f"bomb-lying-small.{_kind}", lambda _, kind=_kind: _main_bomb(kind, 300, 1000), "too_large", "corrupt")
    archives.add(f"bomb-many-parts.{_kind}", lambda _, kind=_kind: package(kind, _bombs(6, 50)), "too_large")
    archives.add(f"truncated.{_kind}", lambda _, kind=_kind: package(kind, {})[:-200], "corrupt")
    archives.add(f"no-directory.{_kind}", lambda _, kind=_kind: package(kind, {}).split(b"PK\1\2")[0], "corrupt")
    archives.add(f"encrypted-zip.{_kind}", lambda _, kind=_kind: _flagged(kind), "encrypted")


def _bombs(count: int, megabytes: int) -> dict[str, Entry]:
    names = [f"customXml/item{number}.xml" for number in range(count)]
    return {name: bomb(name, megabytes, _SPACES) for name in names}


def _flagged(kind: Kind) -> bytes:
    return archive([replace(entry, flags=_FLAGGED) for entry in _honest(kind)])


@archives.case("bomb-media.docx", READ)
def _bomb_nobody_unpacks(_: str) -> bytes:
    return package("docx", {"word/media/image1.png": bomb("word/media/image1.png", 400)})


@archives.case("lying-huge.docx", READ | {"too_large", "corrupt"})
def _lying_huge(_: str) -> bytes:
    entries = _honest("docx")
    return archive([*entries[:-1], replace(entries[-1], size=0xFFFFFFF0)])


@archives.case("nested.docx", "corrupt", "too_large")
def _nested(_: str) -> bytes:
    """A docx in a docx, 500 deep, in the place of the text."""
    inner = package("docx", {})
    for _level in range(500):
        inner = archive([packed("word/document.xml", inner)])
    return inner


@archives.case("forty-two.docx", READ)
def _forty_two(_: str) -> bytes:
    """Archives in archives, sixteen a level, that nobody needs to open."""
    inner = archive([bomb("0.dll", 1000)])
    for level in range(5):
        inner = archive([packed(f"lib {level}{number}.zip", inner) for number in range(16)])[:4_000_000]
    return package("docx", {"word/embeddings/lib.zip": packed("word/embeddings/lib.zip", inner)})


@archives.case("overlapping.docx", "corrupt", "too_large")
def _overlapping(_: str) -> bytes:
    """Thousands of records in the directory that all lead to the same packed bytes."""
    kernel = bomb("word/document.xml", 64, _SPACES)
    return archive([kernel, *(replace(kernel, name=b"word/p%d.xml" % number, at=0) for number in range(5000))])


@archives.case("quoted-overlap.docx", "corrupt", "too_large")
def _quoted_overlap(_: str) -> bytes:
    """Each file holds, as a stored block, the local headers of all that follow it, and then the one packed kernel."""
    kernel, size = run_of(_SPACES, 100), 100 * MEGABYTE
    names = [b"word/q%03d.xml" % number for number in range(400)]
    data, placed = kernel, list[Entry]()
    tail = _local_header(names[0], len(data), size) + data
    for name in names[1:]:
        quoted = 30 + len(name)
        data = struct.pack("<BHH", 0, quoted, quoted ^ 0xFFFF) + tail
        size += quoted
        tail = _local_header(name, len(data), size) + data
        placed.append(Entry(name, data, size, 0, at=len(tail)))
    return archive([replace(entry, at=len(tail) - (entry.at or 0)) for entry in placed], body=tail)


def _local_header(name: bytes, stored: int, size: int) -> bytes:
    return b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, 0, stored, size, len(name), 0) + name


@archives.case("entries-100000.docx", "too_large")
def _many_entries(_: str) -> bytes:
    return archive([*_honest("docx"), *[Entry(b"", b"", 0, 0, 0, at=0)] * 100_000])


@archives.case("names.docx", READ | {"corrupt"})
def _names(url: str) -> bytes:
    evil = [
        "../../../../tmp/tvdb-escaped.xml",
        "/etc/tvdb-escaped.xml",
        "C:\\tvdb-escaped.xml",
        "..\\..\\tvdb-escaped.xml",
    ]
    evil += [
        "a\nb.xml",
        "\u202egpj.xml",
        "word/../../tvdb-escaped.xml",
        "word/" + "n" * 5000 + ".xml",
        "~/tvdb-escaped",
    ]
    return package("docx", {name: packed(name, b"<a/>") for name in evil})


@archives.case("name-with-nul.docx", READ | {"corrupt"})
def _nul_name(_: str) -> bytes:
    return package("docx", {"word/x\0.xml": packed("word/x\0.xml", b"<a/>")})


@archives.case("twice-the-same-name.docx", READ | {"corrupt"})
def _twice(_: str) -> bytes:
    return archive([*_honest("docx"), packed("word/document.xml", b"<broken")])


@archives.case("link-entry.docx", READ | {"corrupt"})
def _link(_: str) -> bytes:
    data = bytearray(package("docx", {"word/media/link.png": packed("word/media/link.png", b"/etc/passwd")}))
    place = data.rindex(b"PK\1\2")
    data[place + 4 : place + 6] = b"\x14\x03"  # made on Unix
    data[place + 38 : place + 42] = struct.pack("<I", 0o120777 << 16)
    return bytes(data)


@archives.case("wrong-check-sum.xlsx", "corrupt")
def _wrong_check(_: str) -> bytes:
    return archive([replace(entry, check=1) for entry in _honest("xlsx")])


@archives.case("unknown-method.pptx", "corrupt")
def _unknown_method(_: str) -> bytes:
    return archive([replace(entry, method=97) for entry in _honest("pptx")])


@archives.case("bzip2-claimed.docx", "corrupt")
def _bzip2(_: str) -> bytes:
    return archive([replace(entry, method=12) for entry in _honest("docx")])


@archives.case("lzma-claimed.docx", "corrupt", "too_large")
def _lzma(_: str) -> bytes:
    # Properties that ask for a dictionary of four gigabytes.
    return archive(
        [
            replace(entry, method=14, data=b"\x09\x14\x05\x00\x5d\xff\xff\xff\xff" + entry.data)
            for entry in _honest("docx")
        ]
    )


@archives.case("plain-archive.docx", "corrupt", "unsupported")
def _plain_archive(_: str) -> bytes:
    return archive([packed("readme.txt", b"hello")])


@archives.case("directory-out-of-the-file.docx", "corrupt")
def _directory_outside(_: str) -> bytes:
    data = bytearray(package("docx", {}))
    data[-6:-2] = struct.pack("<I", 0x7FFFFFFF)
    return bytes(data)
