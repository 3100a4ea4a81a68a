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
    """One recognized line; the box and the font size are in pixels of the upright page."""

    text: str
    confidence: float
    box: Box
    size: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine made of a page image; turn: degrees by which the image was turned clockwise to stand upright."""

    turn: int
    spans: list[Span]


Engine = Callable[[Image.Image], Reading]
"""Reads an RGB image, finding the right way up by itself; the same image gives the same reading."""
