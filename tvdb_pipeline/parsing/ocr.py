"""A page image -> lines of text, right way up.

Belongs here: the engine seam, the choice of rotation, and rapidocr, the default engine, whose models come inside its wheel.
Does not: rendering or decoding images (`pdf`, `images`), or the optional engine (`tesseract`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parsed import PageReport

if TYPE_CHECKING:
    from PIL.Image import Image

LOW_CONFIDENCE: Final = 0.6
"""Mean confidence under which a page is reported with a note: what was read may be wrong."""
_SURE: Final = 0.85  # mean confidence over which an upright reading is not compared with turned ones
_LEAST_LINE: Final = 0.5  # confidence of a line below which it is noise
_INK: Final = 0.002  # part of dark pixels that says a page is not blank although nothing was recognized
_MAX_SIDE: Final = 3400  # pixels: recognition reads crops of the image at this size, boxes stay in scale
_DETECTION_SIDE: Final = 1280
"""Pixels of the longer side lines are looked for in. On ten pages at 200 dpi, words found and CPU seconds a page: 1024: .997,
3.3; 1280: .997, 3.7; 1600: .993, 4.1; full size: .997, 5.6. 1280 leaves room for smaller print than those pages had."""


class Seen(NamedTuple):
    """One line as an engine saw it: text, confidence 0..1, and the box in pixels (left, top, right, bottom)."""

    text: str
    confidence: float
    box: Box


Engine = Callable[["Image"], list[Seen]]


def read_page(image: Image, number: int, dpi: float, engine: str = "rapidocr") -> PageLines:
    """The lines of one page. dpi: pixels an inch of `image`, which gives boxes in points of the upright page.

    Route `ocr`; `blank` where nothing is seen on white paper; `failed` where there is something but no text was recognized.
    """
    recognize = _engine(engine)
    seen, rotation = _upright(image, recognize)
    width, height = image.size if rotation % 180 == 0 else (image.height, image.width)
    points = 72.0 / dpi
    kept = [line for line in seen if line.confidence >= _LEAST_LINE and line.text.strip()]
    if not kept:
        route = "failed" if _has_ink(image) else "blank"
        note = "no text was recognized" if route == "failed" else None
        return PageLines(PageReport(number, route, note=note), width * points, height * points)
    confidence = _confidence(kept)
    note = "the text was recognized with low confidence" if confidence < LOW_CONFIDENCE else None
    report = PageReport(number, "ocr", round(confidence, 3), rotation, note)
    lines = [_line(line, points) for line in kept]
    return PageLines(report, width * points, height * points, lines)


def _line(seen: Seen, points: float) -> TextLine:
    box = Box(*(side * points for side in seen.box))
    # Detected boxes hug the letters; a font's line height is somewhat less than the padded box.
    return TextLine(seen.text.strip(), box, 0.85 * (box.bottom - box.top))


def _upright(image: Image, recognize: Engine) -> tuple[list[Seen], int]:
    """What is seen with the page the right way up, and the degrees it was turned clockwise for that.

    Lines standing on end betray a page lying on its side; poor confidence, one upside down. A good upright page costs one pass.
    """
    seen = recognize(image)
    on_end = _on_end(seen)
    if seen and not on_end and _confidence(seen) >= _SURE:
        return seen, 0
    readings = [(seen, 0)] if not on_end else []
    for rotation in (90, 270) if on_end else (180,):
        # PIL turns counter-clockwise.
        readings.append((recognize(image.rotate(-rotation, expand=True)), rotation))
    return max(readings, key=lambda reading: sum(len(line.text) * line.confidence**2 for line in reading[0]))


def _on_end(seen: Sequence[Seen]) -> bool:
    tall = sum(
        len(line.text) for line in seen if line.box.bottom - line.box.top > 1.5 * (line.box.right - line.box.left)
    )
    return tall > 0.5 * sum(len(line.text) for line in seen)


def _confidence(seen: Sequence[Seen]) -> float:
    characters = sum(len(line.text) for line in seen)
    return sum(line.confidence * len(line.text) for line in seen) / max(characters, 1)


def _has_ink(image: Image) -> bool:
    histogram = image.convert("L").histogram()
    paper = max(range(256), key=histogram.__getitem__)
    ink = sum(count for shade, count in enumerate(histogram) if abs(shade - paper) > 60)
    return ink > _INK * sum(histogram)


def _engine(name: str) -> Engine:
    if name == "tesseract":
        from tvdb_pipeline.parsing.tesseract import recognize

        return recognize
    return _rapid


@lru_cache(maxsize=1)
def _rapidocr() -> Any:
    # One thread each: several worker processes run side by side, one a core.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.max_side_len": _MAX_SIDE,
            "Det.limit_type": "max",
            "Det.limit_side_len": _DETECTION_SIDE,
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _rapid(image: Image) -> list[Seen]:
    import numpy as np

    pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]
    result = _rapidocr()(pixels, use_cls=False)
    if result.boxes is None or result.txts is None:
        return []
    seen: list[Seen] = []
    for corners, text, confidence in zip(result.boxes, result.txts, result.scores, strict=True):
        xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
        seen.append(Seen(text, float(confidence), Box(min(xs), min(ys), max(xs), max(ys))))
    return seen
