"""unstructured's own partition_pdf, for those who install its extra (`pip install tvdb_pipeline[pdf]`).

Belongs here: calling it, accounting for its pages, and telling a fault of the file from one of the installation. Does not: our
PDFium reader (`pdf`).
"""

from __future__ import annotations

import io
import os
import shutil
from importlib import import_module
from typing import Final, Literal

import pypdfium2 as pdfium

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.assemble import stable_ids, tables_as_text
from tvdb_pipeline.parsing.language_model import prepare
from tvdb_pipeline.parsing.parsed import PageReport, ParsedDocument
from tvdb_pipeline.parsing.pdf.reading import MAX_PAGES, PdfPages

Strategy = Literal["fast", "ocr_only", "hi_res"]

_MISSING: Final = (ImportError, FileNotFoundError, ConnectionError)
"""What a part that is not installed ends in: a package, a model that is fetched from a hub at its first use."""


def partitioned(data: bytes, strategy: Strategy, max_pages: int = MAX_PAGES) -> ParsedDocument:
    """Elements by that strategy.

    Raises TvdbError(`missing_extra`), which says nothing about the file, and DocumentRefused as `PdfPages` does, `corrupt` also
    where only unstructured cannot read it. A page with something on it in which `fast` finds no text has failed: it needs OCR.
    """
    # Keeps unstructured off the network, so before anything of it is imported; models are used where they are on this machine.
    prepare()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    PdfPages(data, "rapidocr", max_pages).close()
    try:
        # unstructured passes over text it cannot get at without pikepdf, and does not say so.
        import_module("pikepdf")
        from unstructured.partition.pdf import partition_pdf  # pyright: ignore[reportUnknownVariableType]
    except ImportError as error:
        raise _missing(strategy, "the extra: pip install 'tvdb_pipeline[pdf]'") from error
    if strategy != "fast" and shutil.which("tesseract") is None:
        raise _missing(strategy, "the program tesseract: apt-get install tesseract-ocr")
    try:
        elements = partition_pdf(
            file=io.BytesIO(data), strategy=strategy, languages=["eng"], infer_table_structure=strategy == "hi_res"
        )
    except _MISSING as error:
        raise _missing(strategy, "all packages of the extra, and its models on this machine") from error
    except Exception as error:
        raise DocumentRefused(
            "corrupt",
            f"The PDF cannot be read by the engine {strategy}; export it again, or use TVDB_PDF_ENGINE=pdfium.",
        ) from error
    elements = tables_as_text(elements)
    stable_ids(elements)
    with_text = {element.metadata.page_number for element in elements if element.text.strip()}
    return ParsedDocument("application/pdf", elements, _reports(data, strategy, with_text))


def _reports(data: bytes, strategy: Strategy, with_text: set[int | None]) -> list[PageReport]:
    document = pdfium.PdfDocument(data)
    try:
        return [_report(document, number, strategy, number in with_text) for number in range(1, len(document) + 1)]
    finally:
        document.close()


def _report(document: pdfium.PdfDocument, number: int, strategy: Strategy, has_text: bool) -> PageReport:
    if has_text:
        return PageReport(number, "text" if strategy == "fast" else "ocr")
    if strategy == "fast" and _shows_something(document, number):
        return PageReport(number, "failed", note="no text layer")
    return PageReport(number, "blank")


def _shows_something(document: pdfium.PdfDocument, number: int) -> bool:
    try:
        return next(document[number - 1].get_objects(max_depth=1), None) is not None
    except pdfium.PdfiumError:
        return True


def _missing(strategy: Strategy, part: str) -> TvdbError:
    return TvdbError("missing_extra", f"TVDB_PDF_ENGINE={strategy} needs {part}.")
