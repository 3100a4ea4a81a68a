"""Writes small text PDFs for tests: paragraphs flowing over pages, as a word processor would lay them out.

Belongs here: just enough PDF for documents made in a test. Does not: anything about reading PDFs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

_WIDTH, _HEIGHT, _MARGIN, _SIZE, _LEADING = 612, 792, 68, 9, 12
_LINES_A_PAGE = 53
_CHARACTERS_A_LINE = 88


def flowing_pdf(paragraphs: Sequence[str]) -> bytes:
    """The paragraphs wrapped into lines, set one after the other with a blank line between, page after page."""
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, _CHARACTERS_A_LINE), ""]
    return paged_pdf([lines[start : start + _LINES_A_PAGE] for start in range(0, len(lines), _LINES_A_PAGE)])


def paged_pdf(pages: Sequence[Sequence[str]], font: str = "Courier") -> bytes:
    """One page for each list of lines; an empty string leaves a line blank, an empty list a page blank."""
    contents = [_content(lines) for lines in pages]
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
        f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding /WinAnsiEncoding >>".encode(),
    ]
    for index, content in enumerate(contents):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Contents {5 + 2 * index} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _assembled(objects)


def _content(lines: Sequence[str]) -> bytes:
    parts = [f"BT /F1 {_SIZE} Tf {_LEADING} TL {_MARGIN} {_HEIGHT - _MARGIN} Td"]
    for line in lines:
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        parts.append(f"({escaped}) Tj T*" if line else "T*")
    return "\n".join([*parts, "ET"]).encode("cp1252")


def _assembled(objects: Sequence[bytes]) -> bytes:
    body, offsets = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()
