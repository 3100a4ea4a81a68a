"""Picture files (PNG, JPEG, TIFF, BMP, WEBP) -> the lines of each page.

Belongs here: decoding within limits, one page for each frame of a TIFF, and the picture as OCR wants it (upright by its EXIF,
on white, its resolution known). Does not: reading the text (`ocr`).

Small pictures are not enlarged here: at 60, 72 and 100 dpi doubling changed word recall by -1.1, +0.2 and +0.4 points.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing import ocr
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.parsed import PageReport

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")

MAX_PIXELS = 100_000_000
"""Of one frame, known from its header before anything is decoded: an A3 sheet at 600 dpi has 70 million."""

MAX_FRAMES = 200
"""Pages of one TIFF."""

MAX_ALL_PIXELS = 3_000_000_000
"""Of all pages of one TIFF, known from their headers: 200 Letter pages at 400 dpi. A few kilobytes can claim many times that."""

LONGEST_SIDE = 3400
"""Pixels kept for OCR: a Letter page at 300 dpi has 3300, and no line is read from more than 48 pixels of height."""

PLAUSIBLE_DPI = (70.0, 1200.0)
"""A resolution stated outside of this is some program's default, not a measure."""

ASSUMED_INCHES, ASSUMED_DPI = 11.0, (72.0, 600.0)
"""Longer side of a page whose resolution is not stated, and the bounds of what is concluded from it."""

DAMAGED = "the picture is damaged"
"""Why a page could not be read."""

LETTER = (612.0, 792.0)
"""Size in points given to a page whose frame cannot be decoded."""


def read_image(data: bytes, engine: str = "rapidocr") -> list[PageLines]:
    """The pages of a picture. Raises DocumentRefused: `unsupported`, `corrupt`, `too_large`.

    Only a TIFF has several pages; of an animation the first frame counts. A broken frame is a failed page if others are sound.
    """
    picture = opened(data)
    pages: list[PageLines] = []
    for number in range(1, frame_count(picture) + 1):
        frame = decoded(picture, number)
        if frame is None:
            pages.append(PageLines(PageReport(number, "failed", note=DAMAGED), *LETTER))
        else:
            pages.append(ocr.read_page(frame[0], number, frame[1], engine))
        if number == 1 and frame is None and picture.format != "TIFF":
            raise corrupt()
    if all(page.report.note == DAMAGED for page in pages):
        raise corrupt()
    return pages


def opened(data: bytes) -> Image.Image:
    """The picture, its header read and judged. Raises DocumentRefused."""
    try:
        with warnings.catch_warnings():
            # Pillow warns from a limit of its own on; ours is checked below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if data.startswith((b"\x89PNG", b"\xff\xd8", b"II*\0", b"MM\0*", b"BM")) or data[8:12] == b"WEBP":
            raise corrupt() from None
        raise DocumentRefused("unsupported", "The file is not a PNG, JPEG, TIFF, BMP or WEBP; convert it.") from None
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception:
        # Headers of damaged files make Pillow's readers raise whatever they run into.
        raise corrupt() from None
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large()
    return picture


def frame_count(picture: Image.Image) -> int:
    """Its pages. Raises DocumentRefused (`too_large`)."""
    if picture.format != "TIFF":
        return 1
    count = pixels = 0
    try:
        # Counted by going there: asking for the number walks an endless or broken chain to its end.
        while count <= MAX_FRAMES and pixels <= MAX_ALL_PIXELS:
            picture.seek(count)
            count += 1
            pixels += picture.width * picture.height
    except EOFError:
        pass
    except Exception:
        count += 1
    if count > MAX_FRAMES:
        raise DocumentRefused("too_large", f"The TIFF has over {MAX_FRAMES} pages; split it.")
    if pixels > MAX_ALL_PIXELS:
        raise DocumentRefused(
            "too_large", f"The pages of the TIFF have over {MAX_ALL_PIXELS // 1_000_000} million pixels; split it."
        )
    return max(count, 1)


def decoded(picture: Image.Image, number: int) -> tuple[Image.Image, float] | None:
    """Pixels and dots an inch of a frame ready for OCR, or None if it is damaged. Raises DocumentRefused (`too_large`)."""
    try:
        picture.seek(number - 1)
        size = picture.width * picture.height
        if size <= MAX_PIXELS:
            picture.load()
            dpi = _resolution(picture)
            frame = _on_white(ImageOps.exif_transpose(picture))
            scale = min(1.0, LONGEST_SIDE / max(frame.size))
            if scale < 1:
                smaller = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
                frame = frame.resize(smaller, Image.Resampling.LANCZOS)
            return frame, dpi * scale
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception:
        # Decoders of damaged files raise whatever they run into: struct.error, IndexError, zlib.error.
        return None
    raise _too_large()


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture in gray or colour, eight bits a sample, what is transparent shown on white paper."""
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        return ImageOps.autocontrast(_eight_bits(picture))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Sixteen bits a sample brought to eight; plain `convert` cuts all above 255 off."""
    values = picture.convert("F")
    low, high = values.getextrema()
    span = (float(high) - float(low)) or 1.0  # pyright: ignore[reportArgumentType]
    return values.point(lambda value: value * (255 / span) - float(low) * 255 / span).convert("L")  # pyright: ignore


def _resolution(picture: Image.Image) -> float:
    try:
        stated = float(picture.info["dpi"][0])
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
        stated = 0.0
    if PLAUSIBLE_DPI[0] <= stated <= PLAUSIBLE_DPI[1]:
        return stated
    return min(max(max(picture.size) / ASSUMED_INCHES, ASSUMED_DPI[0]), ASSUMED_DPI[1])


def corrupt() -> DocumentRefused:
    """The refusal of a picture that cannot be decoded."""
    return DocumentRefused("corrupt", "The picture is damaged and cannot be read; save or scan it again.")


def _too_large() -> DocumentRefused:
    return DocumentRefused(
        "too_large", f"The picture has over {MAX_PIXELS // 1_000_000} million pixels; scale it down."
    )
