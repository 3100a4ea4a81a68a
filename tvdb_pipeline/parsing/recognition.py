"""What an OCR engine delivers for one page image.

Belongs here: the records every engine fills. Does not: any engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from tvdb_pipeline.parsing.lines import Box


@dataclass(frozen=True, slots=True)
class Span:
    """One line as found and read; the box and the font size are in pixels of the upright page.

    room: how many of its heights the line was found to be long, before the box was drawn in; 0 where an engine does not say.
    """

    text: str
    confidence: float
    box: Box
    size: float
    room: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine made of a page image; turn: degrees by which the image was turned clockwise to stand upright."""

    turn: int
    spans: list[Span]


Engine = Callable[[Image.Image], Reading]
"""Reads an RGB image, finding the right way up by itself; the same image gives the same reading."""
