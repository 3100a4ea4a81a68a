"""Reading the text of one page image: the seam between the pipeline and an OCR engine.

Belongs here: the choice of an engine by name, and the account of the page made from its reading. Does not: what an engine
delivers (`recognition`), the engines (`rapid`, `tesseract`), decoding of files (`images`, `pdf`) or layout.
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing import ink
from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parsed import PageReport
from tvdb_pipeline.parsing.recognition import Engine, Span

MIN_CONFIDENCE = 0.5
"""Lines read with less are left out: on the corpus they are logos, stamps and foreign scripts turned into noise."""

BLANK_INK = 0.002
"""Share of a page that may be specks and punch holes with the page still counting as blank."""


def read_page(image: Image.Image, number: int, dpi: float, engine: str = "rapidocr") -> PageLines:
    """Recognize the lines of a page image of `dpi` pixels an inch; `engine` is `rapidocr` or `tesseract`.

    The confidence of the report counts every line by its characters, also the lines left out as unreadable.
    """
    page = image.convert("RGB")
    reading = _engine(engine)(page)
    scale = 72 / dpi
    across, down = page.size if reading.turn in (0, 180) else page.size[::-1]
    spans = [span for span in reading.spans if span.text]
    kept = [span for span in spans if span.confidence >= MIN_CONFIDENCE]
    lines = [TextLine(span.text, Box(*(edge * scale for edge in span.box)), span.size * scale) for span in kept]
    report = _account(number, reading.turn, spans, len(kept)) if kept else _nothing_read(number, page)
    return PageLines(report, across * scale, down * scale, lines)


def _account(number: int, turn: int, spans: list[Span], kept: int) -> PageReport:
    characters = sum(len(span.text) for span in spans)
    confidence = sum(span.confidence * len(span.text) for span in spans) / characters
    note = f"{len(spans) - kept} of {len(spans)} lines unreadable" if kept < len(spans) else None
    return PageReport(number, "ocr", round(confidence, 4), turn, note)


def _nothing_read(number: int, page: Image.Image) -> PageReport:
    if ink.share(page) < BLANK_INK:
        return PageReport(number, "blank")
    return PageReport(number, "failed", note="no text recognized")


@lru_cache(maxsize=2)
def _engine(name: str) -> Engine:
    """Built once a process: loading the models takes a second."""
    if name == "rapidocr":
        from tvdb_pipeline.parsing.rapid import RapidEngine

        return RapidEngine().read
    if name == "tesseract":
        from tvdb_pipeline.parsing.tesseract import read

        return read
    raise TvdbError("unknown_ocr_engine", "The OCR engine must be rapidocr or tesseract; correct the setting.")
