"""PDF files from objects as bytes, right or wrong.

Belongs here: putting objects into a file. Does not: what is hostile about them.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

SENTENCE = "The insurer pays for the loss within thirty days of the notice."
SHOW = b"BT /F1 12 Tf 72 700 Td (" + SENTENCE.encode() + b") Tj ET"
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object; entries: more of its dictionary."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def flate(data: bytes, entries: bytes = b"") -> bytes:
    """A compressed stream object."""
    return stream(zlib.compress(data, 9), b"/Filter /FlateDecode " + entries)


def document(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """The file; object 1 is the catalog."""
    body, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), list[int]()
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size, at = len(objects) + 1, len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % size + table
    body += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, at)
    return bytes(body)


def one_page(
    content: bytes = b"",
    *more: bytes,
    resources: bytes = b"",
    page: bytes = b"",
    catalog: bytes = b"",
    media: bytes = b"[0 0 612 792]",
    trailer: bytes = b"",
) -> bytes:
    """A page; content: a whole stream object, by default one that shows `SENTENCE`. `more` are objects 6 and on."""
    return document(
        [
            b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox " + media + b" /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> "
            + resources + b" >> " + page + b" >>",
            content or stream(SHOW),
            _FONT,
            *more,
        ],
        trailer,
    )  # fmt: skip
