"""A whole PDF -> the lines of each page, each page read the way that suits it.

Belongs here: opening the file, its refusals, and the loop over pages. Does not: what happens inside a page.
A page that fails is reported as failed; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.parsed import PageReport
from tvdb_pipeline.parsing.pdf.drawing import read_drawing
from tvdb_pipeline.parsing.pdf.fields import read_fields, with_fields
from tvdb_pipeline.parsing.pdf.geometry import PageFrame
from tvdb_pipeline.parsing.pdf.placeholder import MOST_PAGES, refuse_placeholder
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
        self.count = len(self._document)
        if self.count == 0:
            raise DocumentRefused("corrupt", "The PDF has no pages; export it again.")
        if self.count > max_pages:
            raise DocumentRefused(
                "too_many_pages",
                f"The PDF has {self.count} pages, over the limit of {max_pages} (TVDB_MAX_PAGES); split it.",
            )

        if self.count <= MOST_PAGES:
            refuse_placeholder([_layer(self._document, index) for index in range(self.count)])

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


def _layer(document: pdfium.PdfDocument, index: int) -> str:
    try:
        return page_text(document[index].get_textpage())
    except pdfium.PdfiumError:
        return ""


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
            return _recognized(page, number, frame, ocr_engine)
        walls = [rule for rule in drawing.rules if rule.bottom - rule.top > rule.right - rule.left]
        lines = with_fields(text_lines(textpage, text, frame, walls), fields) if way == "text" else []
        return PageLines(PageReport(number, way), frame.width, frame.height, lines, drawing.rules if lines else [])
    except pdfium.PdfiumError:
        return PageLines(PageReport(number, "failed", note="the page cannot be read"), 612, 792)
    finally:
        page.close()


def _recognized(page: pdfium.PdfPage, number: int, frame: PageFrame, engine: str) -> PageLines:
    # Text PDFs are the rule; they do not wait for the OCR engine to be imported.
    from tvdb_pipeline.parsing import ocr

    pixels = frame.width * frame.height * (OCR_DPI / 72) ** 2
    dpi = OCR_DPI * min(1.0, (_MAX_PIXELS / pixels) ** 0.5) if pixels > 0 else OCR_DPI
    image = page.render(scale=dpi / 72, grayscale=True).to_pil()  # pyright: ignore[reportArgumentType]
    return ocr.read_page(image, number, dpi, engine)
