"""One document's bytes -> ParsedDocument: the choice of reader.

Belongs here: which reader serves which media type, and the judgements all share. Does not: any format, or where it runs
(`worker`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from tvdb_pipeline.documents.admission import IMAGES, MAIL, MSG, PDF, TIFF
from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pdf.placeholder import refuse_placeholder

PARSING_VERSION = 3
"""Raised whenever the same bytes would give other elements; part of the stage's fingerprint."""


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """pdf_engine: ours, or a strategy of unstructured's partition_pdf where its extra is installed; ocr_engine; caps."""

    pdf_engine: Literal["pdfium", "fast", "ocr_only", "hi_res"] = "pdfium"
    ocr_engine: Literal["rapidocr", "tesseract"] = "rapidocr"
    max_bytes: int = 200 << 20
    max_pages: int = 5000


class Pages(Protocol):
    """A document whose pages can be read one by one and on their own, each always with the same result."""

    count: int

    def read(self, number: int) -> PageLines: ...
    def close(self) -> None: ...


def has_pages(media_type: str, options: ParseOptions) -> bool:
    """Whether `open_pages` serves this type."""
    return (media_type == PDF and options.pdf_engine == "pdfium") or media_type == TIFF


def open_pages(data: bytes, media_type: str, options: ParseOptions) -> Pages:
    """The pages of a document for which `has_pages`. Raises DocumentRefused."""
    if media_type == TIFF:
        from tvdb_pipeline.parsing.tiff_pages import TiffPages

        return TiffPages(data, options.ocr_engine, options.max_pages)
    from tvdb_pipeline.parsing.pdf.reading import PdfPages

    return PdfPages(data, options.ocr_engine, options.max_pages)


def finish(media_type: str, pages: list[PageLines]) -> ParsedDocument:
    """All pages of a document, in order -> its elements. Raises DocumentRefused (`no_text`, `unreadable`, `protected`)."""
    if media_type == PDF:
        refuse_placeholder([" ".join(line.text for line in page.lines) for page in pages])
    return _judged(_structured(media_type, pages))


def parse(
    data: bytes, media_type: str, options: ParseOptions, deliver: Callable[[bytes], None] = lambda content: None
) -> ParsedDocument:
    """Read a whole document of a known media type. Raises DocumentRefused; `no_text` where every page is blank.

    deliver: is given the bytes of each file attached to a message, in the order of `ParsedDocument.attached`.
    """
    if not has_pages(media_type, options):
        return _judged(_read(data, media_type, options, deliver))
    pages = open_pages(data, media_type, options)
    try:
        return finish(media_type, [pages.read(number) for number in range(1, pages.count + 1)])
    finally:
        pages.close()


def _judged(parsed: ParsedDocument) -> ParsedDocument:
    if not any(element.text and element.text.strip() for element in parsed.elements):
        failed = parsed.coverage()["failed"]
        if failed:
            why = next((f" ({page.note})" for page in parsed.pages if page.route == "failed" and page.note), "")
            raise DocumentRefused(
                "unreadable", f"No text could be read from any page; {failed} of {len(parsed.pages)} failed{why}."
            )
        raise DocumentRefused("no_text", "There is no text in the file: every page is blank.")
    return parsed


def _read(data: bytes, media_type: str, options: ParseOptions, deliver: Callable[[bytes], None]) -> ParsedDocument:
    if media_type == PDF:
        from tvdb_pipeline.parsing.partition_pdf import partitioned

        assert options.pdf_engine != "pdfium"
        return partitioned(data, options.pdf_engine, options.max_pages)
    if media_type in IMAGES:
        from tvdb_pipeline.parsing.images import read_image

        return _structured(media_type, read_image(data, options.ocr_engine))
    if media_type in MAIL:
        from tvdb_pipeline.parsing import mail

        return mail.parse_msg(data, deliver) if media_type == MSG else mail.parse_eml(data, deliver)
    return _reader(media_type)(data)


def _structured(media_type: str, pages: list[PageLines]) -> ParsedDocument:
    from tvdb_pipeline.parsing.assemble import stable_ids
    from tvdb_pipeline.parsing.layout.structure import structure

    elements = structure(pages)
    stable_ids(elements)
    return ParsedDocument(media_type, elements, [page.report for page in pages])


def _reader(media_type: str) -> Any:
    from tvdb_pipeline.parsing import office, tabular

    readers = {
        "text/plain": office.parse_text,
        "text/markdown": office.parse_markdown,
        "text/html": office.parse_html,
        "text/csv": tabular.parse_csv,
    }
    for ending, reader in (
        ("document", office.parse_docx),
        ("presentation", office.parse_pptx),
        ("sheet", tabular.parse_xlsx),
    ):
        if media_type.endswith(ending):
            return reader
    return readers[media_type]
