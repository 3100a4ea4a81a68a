"""What kind of file this is, judged by its first bytes; its name decides only between kinds of plain text.

Belongs here: size and magic-byte rules, which is all the parent process ever reads of an upload. Does not: decoding.
"""

from __future__ import annotations

from pathlib import PurePath

from tvdb_pipeline.errors import DocumentRefused

HEAD_BYTES = 4096
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_TEXT = {
    ".txt": "text/plain",
    ".text": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".html": "text/html",
    ".htm": "text/html",
    ".eml": "message/rfc822",
}
PDF, MSG = "application/pdf", "application/vnd.ms-outlook"
TIFF = "image/tiff"
MAIL = frozenset({MSG, "message/rfc822"})
IMAGES = frozenset({"image/png", "image/jpeg", "image/tiff", "image/bmp", "image/webp"})
MEDIA_TYPES = frozenset({PDF, MSG, *IMAGES, *_OFFICE.values(), *_TEXT.values()})


def admit(head: bytes, size: int, name: str, max_bytes: int) -> str:
    """The media type of a file from its first `HEAD_BYTES`, its size in bytes and its name.

    Raises DocumentRefused: `empty`, `too_large`, `unsupported`, `wrong_extension`.
    """
    if size == 0:
        raise DocumentRefused("empty", "The file is empty; upload it again.")
    if size > max_bytes:
        raise DocumentRefused(
            "too_large", f"The file has {size} bytes, over the limit of {max_bytes} (TVDB_MAX_DOCUMENT_MB)."
        )
    suffix = PurePath(name).suffix.lower()
    media_type = _by_content(head, suffix)
    if media_type is None:
        raise DocumentRefused(
            "unsupported",
            "This kind of file is not supported; supported are PDF, PNG, JPEG, TIFF, BMP, WEBP, DOCX, PPTX, XLSX, HTML, EML, "
            "MSG, Markdown, text and CSV.",
        )
    return media_type


def _by_content(head: bytes, suffix: str) -> str | None:
    # Readers accept a PDF header anywhere in the first kilobyte, and mail gateways do put bytes before it.
    if b"%PDF-" in head[:1024]:
        return PDF
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        # Two letters alone begin many a text ("BMI ..."); the reserved field of a bitmap is zero.
        return "image/bmp"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(_ZIP):
        # Which of the three it is stands inside the archive; the sandboxed parser looks, the name only proposes.
        return _OFFICE.get(suffix)
    if head.startswith(_OLE):
        return _ole(suffix)
    return _plain_text(head, suffix)


def _ole(suffix: str) -> str:
    if suffix == ".msg":
        return MSG
    if suffix in _OFFICE:
        # An encrypted OOXML file is an OLE container; the parser tells encrypted from legacy.
        return _OFFICE[suffix]
    raise DocumentRefused(
        "unsupported", "Legacy Office files (.doc, .xls, .ppt) are not supported; save it as docx, xlsx or pptx."
    )


def _plain_text(head: bytes, suffix: str) -> str | None:
    if suffix not in _TEXT:
        if (
            suffix == ".pdf"
            or suffix in _OFFICE
            or suffix in {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".msg"}
        ):
            raise DocumentRefused(
                "wrong_extension",
                f"The content is not what the extension {suffix} says; the file is damaged or misnamed.",
            )
        return None
    utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not utf16 and b"\x00" in head:
        raise DocumentRefused("wrong_extension", f"The file is named {suffix} but holds binary data.")
    return _TEXT[suffix]
