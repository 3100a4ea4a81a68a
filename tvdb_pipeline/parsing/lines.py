"""Lines of text with their place on a page: what a PDF text layer and OCR both come down to before layout.

Belongs here: the two plain records. Does not: reading them from a file (`pdf`, `ocr`) or grouping them (`layout`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tvdb_pipeline.parsing.parsed import PageReport

HYPHEN: Final = "\u0002"
"""In the text of a line: a hyphen that only breaks a word at the end of the line, as PDFium writes it."""

FROM_THE_RIGHT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
"""Characters of scripts written from right to left (Hebrew, Arabic, Syriac, Thaana), joined Arabic forms included."""


class Box(NamedTuple):
    """A rectangle in points (1/72 inch) from the top left corner of the upright page."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(slots=True)
class TextLine:
    """One run of text on one line, not crossing a column or table cell.

    size: font size in points (for OCR, estimated from the height of the box); bold: by font weight (False for OCR).
    """

    text: str
    box: Box
    size: float
    bold: bool = False


@dataclass(slots=True)
class PageLines:
    """The lines of one page in no particular order, with the page's size in points and how it was read.

    rules: horizontal and vertical ruling lines as thin boxes, from which ruled tables are found; empty for OCR.
    """

    report: PageReport
    width: float
    height: float
    lines: list[TextLine] = field(default_factory=list)
    rules: list[Box] = field(default_factory=list)
