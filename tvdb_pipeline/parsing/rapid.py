"""The default OCR engine: PP-OCRv6 (small) through rapidocr and onnxruntime, from the models inside rapidocr's wheel.

Belongs here: driving that library (finding lines, reading them) and tidying what it returns. Does not: the decision which way
up a page is (`upright`), the account of a page (`ocr`), other engines.

Ten pages with a text layer and two scanned documents with known text, one thread, processor seconds a page and word recall:
150 dpi: 4.1, 0.978; 200 dpi: 4.3, 0.979; 300 dpi: 4.2, 0.980; without a form of check boxes and a table of contents, which
differ from their truth mostly in spacing, 0.998. Spaces between English words are kept; those after `:` or `?` are sometimes
lost, see `respace`. Fifteen pages turned to all four sides came out upright.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image

from tvdb_pipeline.parsing import ink, upright
from tvdb_pipeline.parsing.lines import Box
from tvdb_pipeline.parsing.recognition import Reading, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

THREADS = 1
"""Threads of one engine: callers run a process for each core, and more threads than cores only slow each other down."""

FIND_SIDE = 1280
"""Pixels to which a page's longer side is scaled for finding lines; they are then read at full resolution.

Seconds a page for finding and word recall at 200 dpi: 960: 0.34, 0.9743; 1280: 0.62, 0.9743; 1600: 1.06, 0.9744; 2000: 2.03,
0.9723. At 150 dpi 960 gives 0.9684 and 1280 0.9720. Enlarging small pages to it helps too: at 72 dpi recall is 0.990 against
0.981 with 960.
"""

FIND_SHORT_SIDE, FIND_LONGEST, FIND_ENLARGE = 960, 4000, 2.0
"""Long strips keep this shorter side, within this longer one (memory); small pictures are enlarged at most so much."""

SMALLEST_SIDE = 64
"""Thinner pictures are padded: the network takes sides in steps of 32."""

LEVEL_FROM, LEVEL_TO = 0.2, 15.0
"""Degrees of skew that are taken out of the boxes: less does not matter to layout, more is not skew."""

READ_AGAIN = 0.8
"""Upright-standing boxes on an upright page (form numbers along the margin) read worse than this are tried turned around."""

_TIGHT_MARK = re.compile(
    r"(?<=[A-Za-z]{2}[:;?!,])(?=[A-Za-z0-9(□☐☒$])|(?<=\)[:;])(?=\w)|(?<=[a-z]\))(?=[A-Z])|(?<=[□☐☒])(?=\w)"
)
_ADDRESS = re.compile(r"www\.|://|@")


class RapidEngine:
    """Driven step by step, so that lines are found on a small copy of the page and read from the full one."""

    def __init__(self, threads: int = THREADS) -> None:
        import cv2
        import rapidocr

        cv2.setNumThreads(threads)
        models = f"{rapidocr.__path__[0]}/models/"
        settings = {
            "Global.log_level": "critical",
            # With explicit paths a missing model is an error; without, the library would fetch it from the network.
            "Det.model_path": models + "PP-OCRv6_det_small.onnx",
            "Rec.model_path": models + "PP-OCRv6_rec_small.onnx",
            "Det.limit_type": "max",
            "Det.limit_side_len": 2 * FIND_LONGEST,
            "Det.max_candidates": 4000,
            # One line at a time: on one thread a sixth faster than batches of six, and no line's reading depends on others.
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        self._steps: Any = rapidocr.RapidOCR(params=settings)
        self._find_lines: Any = self._steps._load_det_model()

    def read(self, page: Image.Image) -> Reading:
        """Find the right way up and read every line."""
        pixels = _pixels(page)
        quads = self._find(pixels)
        if not len(quads):
            return Reading(0, [])
        lines = _Lines(self._steps, pixels, quads)
        turn = upright.find_turn(quads, lines.read)
        if turn:
            import numpy as np

            pixels = np.ascontiguousarray(np.rot90(pixels, -turn // 90))
            quads = self._find(pixels)
            lines = _Lines(self._steps, pixels, quads)
        return Reading(turn, lines.spans())

    def _find(self, pixels: Pixels) -> upright.Quads:
        """Corners of the boxes around lines, in whole pixels: crops between pixels are blurred and read markedly worse."""
        import cv2
        import numpy as np

        height, width = pixels.shape[:2]
        scale = _find_scale(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        found = self._find_lines(shrunk).boxes
        if found is None:
            return np.empty((0, 4, 2), np.float32)
        quads = np.round(found / scale).clip(0, (width - 1, height - 1)).astype(np.float32)
        widths, heights = upright.side_lengths(quads)
        return quads[(widths >= 4) & (heights >= 4)]


class _Lines:
    """The lines found on one page image, each read at most once in each direction."""

    def __init__(self, steps: Any, pixels: Pixels, quads: upright.Quads) -> None:
        self._steps, self._pixels, self._quads = steps, pixels, quads
        self._known: dict[tuple[int, bool], tuple[str, float]] = {}

    def read(self, numbers: Sequence[int], flipped: bool) -> upright.Readings:
        for number in numbers:
            if (number, flipped) not in self._known:
                crop = self._crop(number)
                found = self._steps.recognize_txt([crop[::-1, ::-1] if flipped else crop])
                self._known[number, flipped] = respace(found.txts[0]), float(found.scores[0])
        return [self._known[number, flipped] for number in numbers]

    def spans(self) -> list[Span]:
        """All lines, with skew taken out of their boxes and the boxes drawn in to the ink."""
        import numpy as np

        if not len(self._quads):
            return []
        widths, heights = upright.side_lengths(self._quads)
        readings = list(self.read(range(len(self._quads)), False))
        tight = self._quads.copy()
        sizes = (np.minimum(widths, heights) * 0.6).tolist()
        for number in range(len(readings)):
            if heights[number] > upright.ELONGATED * widths[number]:
                if readings[number][1] < READ_AGAIN:
                    readings[number] = max(
                        readings[number], self.read([number], True)[0], key=lambda reading: reading[1]
                    )
                continue
            extent = ink.line_extent(_gray(self._crop(number)), readings[number][0])
            if extent:
                tight[number], sizes[number] = _drawn_in(self._quads[number], extent[:4]), extent[4]
        angle = upright.skew(self._quads)
        if LEVEL_FROM < abs(angle) < LEVEL_TO:
            tight = upright.level(tight, angle, self._pixels.shape[1], self._pixels.shape[0])
        boxes = np.concatenate([tight.min(axis=1), tight.max(axis=1)], axis=1).tolist()
        rooms = (np.maximum(widths, heights) / np.minimum(widths, heights)).tolist()
        found = zip(readings, boxes, sizes, rooms, strict=True)
        return [Span(*reading, Box(*box), size, room) for reading, box, size, room in found]

    def _crop(self, number: int) -> Pixels:
        return self._steps.crop_text_regions(self._pixels, self._quads[number : number + 1])[0]


def respace(text: str) -> str:
    """Text with single spaces, and with the space the model drops after punctuation and check boxes on tight lines."""
    single = " ".join(text.split())
    return single if _ADDRESS.search(single) else _TIGHT_MARK.sub(" ", single)


def _find_scale(width: int, height: int) -> float:
    longer, shorter = max(width, height), min(width, height)
    scale = max(FIND_SIDE / longer, min(1.0, FIND_SHORT_SIDE / shorter))
    return min(scale, FIND_LONGEST / longer, FIND_ENLARGE)


def _pixels(page: Image.Image) -> Pixels:
    """Blue, green, red, as the models were trained; thin pictures get a white border to the right and below."""
    import numpy as np

    size = (max(page.width, SMALLEST_SIDE), max(page.height, SMALLEST_SIDE))
    if size != page.size:
        padded = Image.new("RGB", size, "white")
        padded.paste(page)
        page = padded
    return np.ascontiguousarray(np.asarray(page)[:, :, ::-1])


def _gray(crop: Pixels) -> Pixels:
    import numpy as np

    return (crop @ np.array([0.114, 0.587, 0.299])).astype(np.uint8)


def _drawn_in(quad: upright.Quads, extent: tuple[float, float, float, float]) -> upright.Quads:
    """The corners of the part of a box between the given distances (left, right, top, bottom) from its top left corner."""
    import numpy as np

    left, right, top, bottom = extent
    across = (quad[1] - quad[0]) / max(1.0, float(np.linalg.norm(quad[1] - quad[0])))
    down = (quad[3] - quad[0]) / max(1.0, float(np.linalg.norm(quad[3] - quad[0])))
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return np.array([quad[0] + across * x + down * y for x, y in corners], np.float32)
