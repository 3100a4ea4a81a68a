"""Picture files -> lines, one page a frame.

Belongs here: decoding PNG, JPEG, TIFF, BMP and WEBP safely, and making what OCR wants of them. Does not: OCR itself.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing import ocr
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.parsed import PageReport

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS: Final = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
MAX_PIXELS: Final = 100_000_000
"""A frame; checked on the header, before anything is decoded. An A3 sheet at 600 dpi has 70 million."""
MAX_FRAMES: Final = 200
_LONG_SIDE: Final = 3400  # pixels; what a camera adds beyond does not help recognition, only costs time
_SHORT_SIDE: Final = 1000  # pixels; smaller pictures are doubled, because letters get too small for the detector
_PAGE_INCHES: Final = 11.0


def read_image(data: bytes, engine: str = "rapidocr") -> list[PageLines]:
    """The pages of a picture file: every frame of a TIFF, the first of any other.

    Raises DocumentRefused (`corrupt`, `too_large`). A damaged later frame is a failed page; the good ones are kept.
    """
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise _too_large() from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, OverflowError):
        raise DocumentRefused("corrupt", "The picture is damaged and cannot be opened; save it again.") from None
    frames = int(getattr(picture, "n_frames", 1)) if picture.format == "TIFF" else 1
    if frames > MAX_FRAMES:
        raise DocumentRefused(
            "too_many_pages", f"The picture has {frames} pages, over the limit of {MAX_FRAMES}; split it."
        )
    pages = [_read_frame(picture, index, engine) for index in range(frames)]
    if all(page.report.route == "failed" and page.report.note == _DAMAGED for page in pages):
        raise DocumentRefused("corrupt", "The picture is damaged and cannot be decoded; save it again.")
    return pages


_DAMAGED: Final = "the picture cannot be decoded"


def _read_frame(picture: Image, index: int, engine: str) -> PageLines:
    try:
        picture.seek(index)
        if picture.width * picture.height > MAX_PIXELS:
            raise _too_large()
        frame, dpi = _prepared(picture)
    except DocumentRefused:
        raise
    except Exception:
        # Pillow's decoders raise whatever they run into: struct.error, IndexError, zlib.error, ...
        return PageLines(PageReport(index + 1, "failed", note=_DAMAGED), 612, 792)
    return ocr.read_page(frame, index + 1, dpi, engine)


def _prepared(picture: Image) -> tuple[Image, float]:
    """The frame upright by its EXIF, as RGB on white, of a good size for OCR; and its pixels an inch."""
    from PIL import Image, ImageOps

    picture.load()
    dpi = _dpi(picture)
    frame = ImageOps.exif_transpose(picture)
    if frame.mode.startswith("I;16") or frame.mode in ("I", "F"):
        frame = ImageOps.autocontrast(frame.convert("F").point(lambda value: value / 256).convert("L"))
    if frame.mode in ("RGBA", "LA", "PA") or "transparency" in frame.info:
        frame = frame.convert("RGBA")
        frame = Image.alpha_composite(Image.new("RGBA", frame.size, "white"), frame)
    frame = frame.convert("RGB")
    longest = max(frame.size)
    scale = 2.0 if longest < _SHORT_SIDE else min(1.0, _LONG_SIDE / longest)
    if scale != 1.0:
        size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
        frame = frame.resize(size, Image.Resampling.LANCZOS)
    return frame, dpi * scale


def _dpi(picture: Image) -> float:
    """What the file says where that is plausible; else as if the longer side were that of a letter page."""
    stated = picture.info.get("dpi")
    try:
        value = float(stated[0]) if stated else 0.0
    except (TypeError, ValueError, ZeroDivisionError):
        value = 0.0
    if 70 <= value <= 1200:
        return value
    return min(max(max(picture.size) / _PAGE_INCHES, 72.0), 600.0)


def _too_large() -> DocumentRefused:
    return DocumentRefused(
        "too_large", f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels; scale it down."
    )
