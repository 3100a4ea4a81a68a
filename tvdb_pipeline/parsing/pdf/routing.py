"""How a page is to be read: by its text layer, by OCR, or not at all because it is blank.

Belongs here: the judgement on one page. Does not: reading it, or telling language from garbage (`wording`).
"""

from __future__ import annotations

from typing import Final, Literal

import pypdfium2 as pdfium

from tvdb_pipeline.parsing.pdf.drawing import Drawing
from tvdb_pipeline.parsing.pdf.wording import is_garbage, word_share

_FEW_CHARACTERS: Final = 80
_MOSTLY_PICTURE: Final = 0.6
_MANY_SHAPES: Final = 100
_INK: Final = 0.0004
"""Part of pixels, at 36 dpi, that differ from the paper: a page with less is blank. A single printed word covers 0.001."""


def route(text: str, drawing: Drawing, page: pdfium.PdfPage, *, typed: bool = False) -> Literal["text", "ocr", "blank"]:
    """The way to read a page, from its text layer, its drawing, and, where there is no text, its ink.

    typed: whether form fields or notes hold text.
    """
    bare = "".join(text.split())
    if not bare and typed and drawing.paths == 0 and drawing.picture_share == 0:
        return "text"
    if not bare:
        nothing_drawn = drawing.paths == 0 and drawing.picture_share == 0
        return "blank" if nothing_drawn or not _has_ink(page) else "ocr"
    if is_garbage(text):
        return "ocr"
    if len(bare) < _FEW_CHARACTERS and drawing.shapes >= _MANY_SHAPES:
        # Letters drawn as outlines, with perhaps a page number that is text.
        return "ocr"
    if drawing.picture_share >= _MOSTLY_PICTURE and (len(bare) < _FEW_CHARACTERS or word_share(text) < 0.6):
        # A scan with a stamp, or with the words an old OCR guessed: what is seen says more than the layer.
        return "ocr"
    return "text"


def _has_ink(page: pdfium.PdfPage) -> bool:
    histogram = page.render(scale=0.5, grayscale=True).to_pil().histogram()  # pyright: ignore[reportArgumentType]
    paper = max(range(256), key=histogram.__getitem__)
    ink = sum(count for shade, count in enumerate(histogram) if abs(shade - paper) > 40)
    return ink > _INK * sum(histogram)
