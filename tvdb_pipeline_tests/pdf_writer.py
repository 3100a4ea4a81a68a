"""A minimal PDF writer: pages of placed text, rules, and a turned page, byte by byte; and paragraphs that flow over pages.

Belongs here: what tests need to draw. Does not: anything a real document needs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 612, 792
CHARACTERS_A_LINE, LINES_A_PAGE = 88, 58
BOGUS_ENCRYPTION = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"ab" * 32 + b"> /U <" + b"cd" * 32 + b"> >>"
UNKNOWN_ENCRYPTION = b"/Encrypt << /Filter /Nobody.Knows /V 9 /R 9 /P -4 >>"


@dataclass
class Page:
    """A page under construction; places are in points from the top left of the upright page. rotate: as in /Rotate."""

    rotate: int = 0
    operators: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, size: float = 11, bold: bool = False) -> Page:
        """Write one line with its baseline at `y`."""
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        matrix = " ".join(f"{number:.2f}" for number in self._matrix(x, y))
        self.operators.append(f"BT /{'F2' if bold else 'F1'} {size} Tf {matrix} Tm ({escaped}) Tj ET")
        return self

    def lines(self, x: float, y: float, texts: Sequence[str], size: float = 11) -> Page:
        """Write lines below one another at a usual distance."""
        for number, text in enumerate(texts):
            self.text(x, y + number * 1.2 * size, text, size)
        return self

    def rule(self, x1: float, y1: float, x2: float, y2: float) -> Page:
        """Draw a thin line. Upright pages only."""
        self.operators.append(f"0.5 w {x1} {HEIGHT - y1} m {x2} {HEIGHT - y2} l S")
        return self

    def grid(self, xs: Sequence[float], ys: Sequence[float]) -> Page:
        """Draw a ruled table with these borders."""
        for x in xs:
            self.rule(x, ys[0], x, ys[-1])
        for y in ys:
            self.rule(xs[0], y, xs[-1], y)
        return self

    def _matrix(self, x: float, y: float) -> tuple[float, ...]:
        # Text of a turned page is drawn turned the other way, so that it stands upright when shown.
        if self.rotate == 90:
            return 0, 1, -1, 0, y, x
        if self.rotate == 180:
            return -1, 0, 0, -1, WIDTH - x, y
        if self.rotate == 270:
            return 0, -1, 1, 0, WIDTH - y, HEIGHT - x
        return 1, 0, 0, 1, x, HEIGHT - y


def pdf(*pages: Page, trailer: bytes = b"", letters: bytes = b"", face: bytes = b"Helvetica") -> bytes:
    """The file. trailer: more entries for the trailer; letters: the regular font's map from codes to Unicode, if any;
    face: the name of that font."""
    font = b"/ToUnicode %d 0 R" % (6 + 2 * len(pages)) if letters else b""
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Font << /F1 4 0 R /F2 5 0 R >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /" + face + b" /Encoding /WinAnsiEncoding " + font + b" >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        stream = "\n".join(page.operators).encode("cp1252")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Resources 3 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Rotate {page.rotate}"
            f" /Contents {7 + 2 * number} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    if letters:
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(letters), letters))
    return _file(objects, trailer)


def flowing_pdf(paragraphs: Sequence[str]) -> bytes:
    """Paragraphs wrapped into lines, a blank line between, page after page, as a word processor lays them out."""
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, CHARACTERS_A_LINE), ""]
    pages = [
        Page().lines(68, 68, lines[start : start + LINES_A_PAGE], size=9)
        for start in range(0, len(lines), LINES_A_PAGE)
    ]
    # All letters of one width: lines that run to the margin end within a word of it.
    return pdf(*pages, face=b"Courier")


def _file(objects: Sequence[bytes], trailer: bytes) -> bytes:
    body, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", list[int]()
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    ids = b"/ID [<" + b"00" * 16 + b"> <" + b"00" * 16 + b">]"
    end = b"trailer\n<< /Size %d /Root 1 0 R %s %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        ids,
        trailer,
        len(body),
    )
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end
