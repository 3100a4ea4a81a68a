"""Reading the text of one page image: the seam between the pipeline and an OCR engine.

Belongs here: the choice of an engine by name, and the account of the page made from its reading. Does not: what an engine
delivers (`recognition`), how far to trust it (`legibility`), the engines (`rapid`, `tesseract`), decoding of files (`images`,
`pdf`) or layout.
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing import ink
from tvdb_pipeline.parsing.legibility import judge
from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parsed import PageReport
from tvdb_pipeline.parsing.recognition import Engine

BLANK_INK = 0.002
"""Share of a page that may be specks and punch holes with the page still counting as blank."""


def read_page(image: Image.Image, number: int, dpi: float, engine: str = "rapidocr") -> PageLines:
    """Recognize the lines of a page image of `dpi` pixels an inch; `engine` is `rapidocr` or `tesseract`.

    The confidence of the report counts every line by its length, also the lines left out as unreadable.
    """
    page = image.convert("RGB")
    reading = _engine(engine)(page)
    scale = 72 / dpi
    across, down = page.size if reading.turn in (0, 180) else page.size[::-1]
    found = judge(reading.spans, engine)
    lines = [TextLine(span.text, Box(*(edge * scale for edge in span.box)), span.size * scale) for span in found.kept]
    if found.kept:
        report = PageReport(number, "ocr", found.confidence, reading.turn, found.note)
    elif not found.note and ink.share(page) < BLANK_INK:
        report = PageReport(number, "blank")
    else:
        report = PageReport(number, "failed", note=found.note or "no text recognized")
    return PageLines(report, across * scale, down * scale, lines)


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
