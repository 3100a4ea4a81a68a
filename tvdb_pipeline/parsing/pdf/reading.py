"""A whole PDF -> the lines of each page, each page read the way that suits it.

Belongs here: opening the file, its refusals, and the loop over pages. Does not: what happens inside a page.
A page that fails is reported as failed; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.parsed import PageReport
from tvdb_pipeline.parsing.pdf.drawing import read_drawing
from tvdb_pipeline.parsing.pdf.fields import MOST_FIELDS, Field, outside, read_fields, with_fields
from tvdb_pipeline.parsing.pdf.geometry import PageFrame
from tvdb_pipeline.parsing.pdf.pictures import read_pictures, text_pictures
from tvdb_pipeline.parsing.pdf.routing import route
from tvdb_pipeline.parsing.pdf.words import page_text, text_lines

OCR_DPI: Final = 200
MAX_PAGES: Final = 5000
_MAX_PIXELS: Final = 40_000_000  # a poster-sized page is rendered coarser, not refused


class PdfPages:
    """An open PDF whose pages are read one by one, in any order. count: pages, at least 1. Close it after use.

    Raises DocumentRefused: `encrypted`, `protected`, `corrupt`, `too_many_pages`.
    """

    def __init__(self, data: bytes, ocr_engine: str, max_pages: int = MAX_PAGES) -> None:
        self._document, self._engine = _open(data), ocr_engine
        if b"/EncryptedPayload" in data and self._document.count_attachments():
            # PDF 2.0, 7.6.7: the document is an attachment under its own encryption; the pages are its cover.
            raise DocumentRefused(
                "protected", "The PDF is the cover of an encrypted document; upload a copy saved without protection."
            )
        self.count = len(self._document)
        if self.count == 0:
            raise DocumentRefused("corrupt", "The PDF has no pages; export it again.")
        if self.count > max_pages:
            raise DocumentRefused(
                "too_many_pages",
                f"The PDF has {self.count} pages, over the limit of {max_pages} (TVDB_MAX_PAGES); split it.",
            )

    def read(self, number: int) -> PageLines:
        """The lines of page `number`, from 1. A page that cannot be read is reported as failed."""
        return _read_page(self._document, number - 1, self._engine)

    def close(self) -> None:
        """Let go of the file."""
        self._document.close()


def read_pdf(data: bytes, ocr_engine: str) -> Iterator[PageLines]:
    """All pages in order; see PdfPages."""
    pages = PdfPages(data, ocr_engine)
    try:
        for number in range(1, pages.count + 1):
            yield pages.read(number)
    finally:
        pages.close()


def _open(data: bytes) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        code = raw.FPDF_GetLastError() if error.err_code is None else error.err_code
        if code == raw.FPDF_ERR_PASSWORD:
            raise DocumentRefused("encrypted", "The PDF needs a password; upload a copy without one.") from None
        if code == raw.FPDF_ERR_SECURITY:
            raise DocumentRefused(
                "encrypted", "The PDF is locked by a security scheme that cannot be opened."
            ) from None
        raise DocumentRefused("corrupt", "The PDF is damaged and cannot be opened; export it again.") from None
    document.init_forms()
    return document


def _read_page(document: pdfium.PdfDocument, index: int, ocr_engine: str) -> PageLines:
    number = index + 1
    try:
        page = document[index]
    except pdfium.PdfiumError:
        return PageLines(PageReport(number, "failed", note="the page cannot be loaded"), 612, 792)
    try:
        frame = PageFrame.of(page)
        drawing = read_drawing(page, frame)
        textpage = page.get_textpage()
        text = page_text(textpage)
        fields = read_fields(page, frame)
        way = route(text, drawing, page, typed=any(field.kind != "mark" for field in fields))
        if way == "ocr":
            return _recognized(page, number, frame, ocr_engine, fields)
        walls = [rule for rule in drawing.rules if rule.bottom - rule.top > rule.right - rule.left]
        lines = text_lines(textpage, text, frame, walls) if way == "text" else []
        report = PageReport(number, way)
        if way == "text" and (regions := text_pictures(drawing.pictures, lines, frame)):
            seen = read_pictures(page, frame, regions, lines, _dpi(frame), ocr_engine)
            lines += seen.lines
            report = PageReport(number, way, seen.confidence, note="; ".join(seen.notes)[:300] or None)
        lines = with_fields(lines, fields) if way == "text" else []
        if raw.FPDFPage_GetAnnotCount(page) > MOST_FIELDS:
            report = replace(report, note=report.note or f"form fields after the first {MOST_FIELDS} were not read")
        return PageLines(report, frame.width, frame.height, lines, drawing.rules if lines else [])
    except pdfium.PdfiumError:
        return PageLines(PageReport(number, "failed", note="the page cannot be read"), 612, 792)
    finally:
        page.close()


def _recognized(page: pdfium.PdfPage, number: int, frame: PageFrame, engine: str, fields: list[Field]) -> PageLines:
    # Text PDFs are the rule; they do not wait for the OCR engine to be imported.
    from tvdb_pipeline.parsing import ocr

    dpi = _dpi(frame)
    image = page.render(scale=dpi / 72, grayscale=True).to_pil()  # pyright: ignore[reportArgumentType]
    read = ocr.read_page(image, number, dpi, engine)
    if fields and read.report.rotation == 0:
        read.lines = with_fields(outside(read.lines, fields), fields)
    return read


def _dpi(frame: PageFrame) -> float:
    pixels = frame.width * frame.height * (OCR_DPI / 72) ** 2
    return OCR_DPI * min(1.0, (_MAX_PIXELS / pixels) ** 0.5) if pixels > 0 else OCR_DPI
