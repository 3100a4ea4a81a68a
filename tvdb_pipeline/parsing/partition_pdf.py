"""unstructured's own partition_pdf, for those who install its extra (`pip install tvdb_pipeline[pdf]`).

Belongs here: calling it and accounting for its pages. Does not: our PDFium reader (`pdf`).
"""

from __future__ import annotations

import io
from typing import Literal

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.parsed import PageReport, ParsedDocument


def partitioned(data: bytes, strategy: Literal["fast", "ocr_only", "hi_res"]) -> ParsedDocument:
    """Elements by that strategy. Raises TvdbError(`missing_extra`), DocumentRefused(`corrupt`)."""
    import pypdfium2 as pdfium

    try:
        from unstructured.partition.pdf import partition_pdf  # pyright: ignore[reportUnknownVariableType]
    except ImportError as error:
        raise TvdbError(
            "missing_extra", f"TVDB_PDF_ENGINE={strategy} needs the extra: pip install 'tvdb_pipeline[pdf]'."
        ) from error
    try:
        count = len(pdfium.PdfDocument(data))
        elements = partition_pdf(file=io.BytesIO(data), strategy=strategy, languages=["eng"])
    except Exception as error:
        raise DocumentRefused("corrupt", "The PDF is damaged and cannot be opened; export it again.") from error
    with_text = {element.metadata.page_number for element in elements if element.text.strip()}
    route = "text" if strategy == "fast" else "ocr"
    pages = [PageReport(number, route if number in with_text else "blank") for number in range(1, count + 1)]
    return ParsedDocument("application/pdf", elements, pages)
