"""Reading the text of one page image: the seam to an OCR engine, and the engine used by default.

Belongs here: what an engine delivers, the choice of one by name, the account of the page, and the rapidocr engine, whose models
come inside its wheel. Does not: other engines (`tesseract`), the decision which way up a page is (`upright`), decoding of files
(`images`, `pdf`) or grouping of lines (`layout`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PIL import Image

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing import upright
from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parsed import PageReport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

THREADS = 1
"""Threads of one engine: callers run one process for each core, and more threads than cores only slow each other down."""

MIN_CONFIDENCE = 0.5
"""Lines read with less are left out: on the corpus they are stamps, logos and foreign scripts turned into noise."""

BLANK_INK = 0.002
"""Share of a page's pixels that may differ from its paper (specks, punch holes) with the page still counting as blank."""

DETECT_SIDE = 1280
"""Length in pixels to which the longer side of a page is scaled for finding lines; they are read at the full resolution."""

DETECT_SHORT_SIDE, DETECT_LONGEST, DETECT_ENLARGE = 960, 4000, 2.0
"""Long strips keep a readable shorter side, within a bound on memory; small pictures are enlarged only so much."""


@dataclass(frozen=True, slots=True)
class Span:
    """One recognized line. The box and the font size are in pixels of the upright page."""

    text: str
    confidence: float
    box: Box
    size: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine made of a page image; turn: degrees by which it turned the image clockwise to stand it upright."""

    turn: int
    spans: list[Span]


def read_page(image: Image.Image, number: int, dpi: float, engine: str = "rapidocr") -> PageLines:
    """Recognize the lines of a page image with `dpi` pixels an inch; see `PageLines` for the shape of the result."""
    page = image.convert("RGB")
    reading = _engine(engine)(page)
    scale = 72 / dpi
    width, height = (side * scale for side in (page.size if reading.turn in (0, 180) else page.size[::-1]))
    spans = [span for span in reading.spans if span.text]
    kept = [span for span in spans if span.confidence >= MIN_CONFIDENCE]
    if not kept:
        blank = _ink_share(page) < BLANK_INK
        report = PageReport(number, "blank") if blank else PageReport(number, "failed", note="no text recognized")
        return PageLines(report, width, height)
    characters = sum(len(span.text) for span in spans)
    confidence = sum(span.confidence * len(span.text) for span in spans) / characters
    lost = len(spans) - len(kept)
    note = f"{lost} of {len(spans)} lines unreadable" if lost else None
    report = PageReport(number, "ocr", round(confidence, 4), reading.turn, note)
    lines = [TextLine(s.text, Box(*(side * scale for side in s.box)), s.size * scale) for s in kept]
    return PageLines(report, width, height, lines)


@lru_cache(maxsize=2)
def _engine(name: str) -> Callable[[Image.Image], Reading]:
    if name == "rapidocr":
        return RapidEngine().read
    if name == "tesseract":
        return import_module("tvdb_pipeline.parsing.tesseract").read
    raise TvdbError("unknown_ocr_engine", "The OCR engine must be one of: rapidocr, tesseract.")


def _ink_share(page: Image.Image) -> float:
    """Share of pixels far from the paper's shade, leaving out the margins, where scanners leave dark edges."""
    import numpy as np

    gray = page.convert("L")
    gray.thumbnail((1024, 1024))
    width, height = gray.size
    inner = np.asarray(gray, dtype=np.int16)[height // 25 : height - height // 25, width // 25 : width - width // 25]
    return float((abs(inner - np.median(inner)) > 64).mean())


class RapidEngine:
    """PP-OCRv6 (small) on onnxruntime, driven step by step so that lines are found small and read at full resolution."""

    def __init__(self, threads: int = THREADS) -> None:
        import cv2
        import rapidocr

        cv2.setNumThreads(threads)
        models = rapidocr.__path__[0] + "/models/"
        self._steps: Any = rapidocr.RapidOCR(
            params={
                # Critical only: the library logs paths and problems to its own handler. Explicit paths: without them it
                # would fetch a missing model from the network instead of failing.
                "Global.log_level": "critical",
                "Det.model_path": models + "PP-OCRv6_det_small.onnx",
                "Rec.model_path": models + "PP-OCRv6_rec_small.onnx",
                "Det.limit_type": "max",
                "Det.limit_side_len": DETECT_LONGEST + 96,
                "Det.max_candidates": 4000,
                # One line at a time: a fifth faster than batches of six on one thread, and a line's reading does not
                # depend on its neighbours.
                "Rec.rec_batch_num": 1,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read(self, page: Image.Image) -> Reading:
        pixels = _pixels(page)
        quads = self._find(pixels)
        readings: dict[tuple[int, bool], tuple[str, float]] = {}

        def read_boxes(numbers: Sequence[int], flipped: bool) -> upright.Readings:
            missing = [number for number in numbers if (number, flipped) not in readings]
            found = self._recognize(self._steps.crop_text_regions(pixels, quads[missing]), flipped)
            readings.update(zip([(number, flipped) for number in missing], found, strict=True))
            return [readings[number, flipped] for number in numbers]

        if not len(quads):
            return Reading(0, [])
        turn = upright.find_turn(quads, read_boxes)
        if turn:
            import numpy as np

            pixels = np.ascontiguousarray(np.rot90(pixels, -turn // 90))
            quads = self._find(pixels)
            readings.clear()
        read_boxes(range(len(quads)), False)
        ...
