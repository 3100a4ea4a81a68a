"""What kind of container a Microsoft file is, before any reader opens it, and unpacking it no further than is bearable.

Belongs here: telling encrypted, legacy, misnamed and broken files apart, in one sentence each, and the measure of what comes
out of an archive. Does not: what the parts mean (`ooxml`).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final, Literal

from tvdb_pipeline.errors import DocumentRefused

OfficeKind = Literal["docx", "pptx", "xlsx"]

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_MAIN_PARTS: dict[OfficeKind, str] = {"docx": "word/", "pptx": "ppt/", "xlsx": "xl/"}
_NAMES: dict[OfficeKind, str] = {"docx": "Word", "pptx": "PowerPoint", "xlsx": "Excel"}
_DIRECTORY_RECORD = b"PK\x01\x02"
_BLOCK: Final = 1 << 20

MOST_ENTRIES: Final = 20_000
"""Of one archive: a presentation of 1,000 slides has about 5,000."""

MOST_PART_BYTES: Final = 100 << 20
"""Unpacked. A tree of XML takes about ten times its text in memory."""

MOST_PACKAGE_BYTES: Final = 250 << 20
"""Unpacked, of all parts that are read."""

HIGHEST_RATIO, RATIO_FROM_BYTES = 250, 8 << 20
"""Unpacked to packed bytes of a part, from a size on. Sheets of repeated figures come to 100; Deflate cannot pass 1,032."""


class Unpacking:
    """Reads the parts of one archive. What counts is what comes out: what an archive says of its sizes may be a lie."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._left = archive, MOST_PACKAGE_BYTES

    def read(self, entry: zipfile.ZipInfo) -> bytes:
        """A whole part. Raises DocumentRefused (`too_large`), and what `zipfile` raises for a damaged one."""
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # No Office program writes others, and a few bytes of LZMA can ask for four gigabytes.
            raise NotImplementedError
        pieces: list[bytes] = []
        size, most = 0, min(MOST_PART_BYTES, self._left)
        with self._archive.open(entry) as opened:
            while piece := opened.read(_BLOCK):
                pieces.append(piece)
                size += len(piece)
                if size > most or size > max(RATIO_FROM_BYTES, HIGHEST_RATIO * entry.compress_size):
                    raise _too_large()
        self._left -= size
        return b"".join(pieces)


def open_office_file(data: bytes, kind: OfficeKind) -> zipfile.ZipFile:
    """The package inside an Office file of the given kind; DocumentRefused where it is anything else."""
    if data.startswith(OLE_MAGIC):
        raise _refused_ole(data, kind)
    # Counted before the library makes an object of each; an archive inside this one may add some of its own.
    if data.count(_DIRECTORY_RECORD) > 2 * MOST_ENTRIES:
        raise _too_large()
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, zlib.error):
        raise corrupt(kind) from None
    entries = package.infolist()
    if len(entries) > MOST_ENTRIES:
        raise _too_large()
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentRefused("encrypted", "The file is password protected; save it without a password and try again.")
    found: list[OfficeKind] = [other for other in _MAIN_PARTS if _has_main_part(entries, other)]
    if found and kind not in found:
        raise DocumentRefused(
            "wrong_extension", f"The content is that of a {_NAMES[found[0]]} file; give it the ending {found[0]}."
        )
    if not found:
        raise corrupt(kind)
    return package


def _has_main_part(entries: list[zipfile.ZipInfo], kind: OfficeKind) -> bool:
    return any(entry.filename.lstrip("/").startswith(_MAIN_PARTS[kind]) for entry in entries)


def corrupt(kind: OfficeKind) -> DocumentRefused:
    """The refusal for a damaged file of this kind."""
    return DocumentRefused("corrupt", f"The file is damaged or no {_NAMES[kind]} file; save it again as {kind}.")


def _refused_ole(data: bytes, kind: OfficeKind) -> DocumentRefused:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            if container.exists("EncryptedPackage") or container.exists("EncryptionInfo"):
                return DocumentRefused(
                    "encrypted", "The file is password protected; save it without a password and try again."
                )
    except Exception:
        # Broken containers make the library fail in many ways.
        return corrupt(kind)
    return DocumentRefused(
        "unsupported", f"Legacy {_NAMES[kind]} files are not supported; save it as {kind} and try again."
    )


def _too_large() -> DocumentRefused:
    return DocumentRefused("too_large", "The file unpacks to more than can be read; split it into smaller documents.")
