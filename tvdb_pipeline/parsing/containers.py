"""What kind of container a Microsoft file is, before any reader opens it.

Belongs here: telling encrypted, legacy and broken files apart, in one sentence each. Does not: reading their content.
"""

from __future__ import annotations

import io
import zipfile
from typing import Literal

from tvdb_pipeline.errors import DocumentRefused

OfficeKind = Literal["docx", "pptx", "xlsx"]

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_MAIN_PARTS: dict[OfficeKind, str] = {"docx": "word/", "pptx": "ppt/", "xlsx": "xl/"}
_NAMES: dict[OfficeKind, str] = {"docx": "Word", "pptx": "PowerPoint", "xlsx": "Excel"}
_MOST_ENTRIES = 20_000
_MOST_UNPACKED_BYTES = 2_000_000_000


def open_office_file(data: bytes, kind: OfficeKind) -> zipfile.ZipFile:
    """The package inside an Office file of the given kind; DocumentRefused where it is anything else."""
    if data.startswith(OLE_MAGIC):
        raise _refused_ole(data, kind)
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        raise corrupt(kind) from None
    entries = package.infolist()
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _MOST_UNPACKED_BYTES:
        raise DocumentRefused("too_large", "The file unpacks to more than 2 GB; split it into smaller documents.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentRefused("encrypted", "The file is password protected; save it without a password and try again.")
    if not any(entry.filename.lstrip("/").startswith(_MAIN_PARTS[kind]) for entry in entries):
        raise corrupt(kind)
    return package


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
