"""Small sound files of every format, to be changed.

Belongs here: those files. Does not: changing them (`mutation`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from tvdb_pipeline_tests.hostile.mails import mails
from tvdb_pipeline_tests.hostile.office_parts import package
from tvdb_pipeline_tests.hostile.pdf_bombs import packed_objects
from tvdb_pipeline_tests.hostile.pictures import blank
from tvdb_pipeline_tests.hostile.raw_pdf import one_page
from tvdb_pipeline_tests.pdf_writer import Page, pdf

_EXAMPLES: Final = Path(__file__).parents[2] / "data" / "examples"
_SMALL: Final = 30_000
_SLOW: Final = frozenset({".webp", ".tiff", ".jpg", ".png"})
"""Pictures hold words, and reading those takes seconds; the drawn ones are blank."""
_HTML = b"""<html><head><title>Rates</title></head><body><h1>Rates</h1><p>The insurer pays.</p><ul><li>hail<li>fire</ul>
<table border=1><tr><th>Age<th>Premium<tr><td rowspan=2>30<td>12<tr><td>13</table><p><input value=x><b>End</b></body></html>"""
_MARKDOWN = b"# Rates\n\nThe insurer *pays* for [hail](x).\n\n"
_MARKDOWN += b"| Age | Premium |\n|---|---|\n| 30 | 12 |\n\n- one\n- two\n\n```\ncode\n```\n"
_MAIL = b"""From: a@example.org\r\nSubject: =?utf-8?Q?Claim?=\r\nMIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r
Content-Type: text/html; charset=utf-8\r\n\r\n<p>The insurer pays.</p>\r\n--b\r\nContent-Type: text/csv\r
Content-Disposition: attachment; filename="a.csv"\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiCjEsMgo=\r\n--b--\r\n"""


@cache
def seeds() -> list[tuple[str, bytes]]:
    """(name, content) of each."""
    table = (
        Page().grid((72, 200, 400), (100, 120, 140)).text(80, 115, "Age").text(210, 115, "Premium").text(80, 135, "30")
    )
    fields = b"/AcroForm << /Fields [6 0 R] >>"
    widget = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (value) /Rect [72 600 300 620] >>"
    drawn: list[tuple[str, bytes]] = [
        ("lines.pdf", pdf(Page().lines(72, 72, ["The insurer pays for the loss.", "Hail is covered."]), table)),
        ("form.pdf", one_page(b"", widget, page=b"/Annots [6 0 R]", catalog=fields)),
        (
            "packed.pdf",
            packed_objects(
                [
                    b"<< /Type /Catalog /Pages 2 0 R >>",
                    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                    b"<< /Type /Page >>",
                ]
            ),
        ),
        *((f"plain.{kind}", package(kind, {})) for kind in ("docx", "pptx", "xlsx")),
        ("plain.html", _HTML),
        ("plain.md", _MARKDOWN),
        ("plain.txt", "Policy 12.\n\nThe insurer pays – within 30 days.\n\n1. hail\n2. fire\n".encode()),
        ("wide.txt", "Policy number twelve".encode("utf-16")),
        ("plain.csv", b'Age,Premium\n30,"12,50"\n31,13\n\nNote;only\n'),
        ("plain.eml", _MAIL),
        ("plain.msg", next(case for case in mails if case.name == "sound.msg").make("")),
        *((f"blank.{kind.lower()}", blank(kind)) for kind in ("PNG", "JPEG", "TIFF", "BMP", "WEBP")),
    ]
    return [*drawn, *_examples()]


def _examples() -> list[tuple[str, bytes]]:
    if not _EXAMPLES.is_dir():
        return []
    files = [
        path for path in sorted(_EXAMPLES.iterdir()) if path.is_file() and path.suffix not in (*_SLOW, ".py", ".jsonl")
    ]
    return [(path.name, path.read_bytes()) for path in files if path.stat().st_size < _SMALL]
