"""What makes a document the same document: its path; and the partition key drawn from it.

Belongs here: path -> identity -> key. Does not: reading files.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path
from typing import Literal

_NOT_TEXT = re.compile("[\ud800-\udfff\x1b]")
_UNESCAPED = re.compile("\x1b([0-9a-f]{4})")


def identity(path: Path, upload_dir: Path) -> str:
    """The path relative to the upload folder where it lies inside it, else the absolute path. Links are not followed."""
    absolute = Path(path if path.is_absolute() else Path.cwd() / path)
    absolute = absolute.parent.resolve() / absolute.name
    try:
        return _escaped(absolute.relative_to(upload_dir).as_posix())
    except ValueError:
        return _escaped(absolute.as_posix())


def attachment_identity(message: str, number: str, name: str) -> str:
    """The identity of a file attached to the message of identity `message`: no path on disk, but named like one."""
    return _escaped(f"{message}!/{number}/{name}".replace("\0", ""))


def object_identity(name: str) -> str:
    """The identity of an object by its name below the URL of the uploads: that of a file so named below the upload folder."""
    return _escaped(name)


def located(document_path: str, upload_dir: Path) -> Path:
    """Where the file of an identity lies: the inverse of `identity`."""
    return upload_dir / object_name(document_path)


def object_name(document_path: str) -> str:
    """The name of the object of an identity: the inverse of `object_identity`."""
    return _UNESCAPED.sub(lambda match: chr(int(match[1], 16)), document_path)


def _escaped(path: str) -> str:
    """Bytes of a name that are not UTF-8 (Python has them as lone surrogates) in a form a database can hold."""
    return _NOT_TEXT.sub(lambda match: f"\x1b{ord(match[0]):04x}", path)


def document_key(document_path: str, style: Literal["slug", "opaque"]) -> str:
    """The partition key of an identity: `<slug of the file name>-<16 hex>`, or `doc-<16 hex>` where names are private.

    The hex is the start of sha256(identity); the key matches `[a-z0-9-]{1,80}`.
    """
    digest = hashlib.sha256(document_path.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    slug = "doc"
    if style == "slug":
        name = unicodedata.normalize("NFKD", document_path.rpartition("/")[2]).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") or "doc"
    return f"{slug}-{digest}"
