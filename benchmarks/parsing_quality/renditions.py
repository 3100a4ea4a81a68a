"""Pages with known text, drawn again as scans: clean, turned, askew, noisy.

Belongs here: page -> picture file. Does not: which pages, or reading them. Seeded, so that each run scores the same pictures.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

import numpy as np
import pypdfium2 as pdfium
from PIL import Image, ImageFilter

DPI: Final = 200
_SEED: Final = 20_001
Drawing = Callable[[Image.Image], Image.Image]


def drawn(data: bytes, page: int) -> Image.Image:
    """Page `page` (from 1) of a PDF at 200 dots an inch, in gray."""
    document = pdfium.PdfDocument(data)
    picture = document[page - 1].render(scale=DPI / 72, grayscale=True).to_pil()  # pyright: ignore[reportArgumentType]
    document.close()
    return picture.convert("L")


def saved(picture: Image.Image) -> bytes:
    """The picture as a PNG that tells its resolution."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", dpi=(DPI, DPI))
    return buffer.getvalue()


def _turned(degrees: int) -> Drawing:
    return lambda picture: picture.rotate(-degrees, expand=True, fillcolor=255)


def _askew(picture: Image.Image) -> Image.Image:
    return picture.rotate(2.5, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def _noisy(picture: Image.Image) -> Image.Image:
    """Out of focus a little, with grain and specks of dust."""
    random = np.random.default_rng(_SEED)
    pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.9)), dtype=np.float32)
    pixels = pixels + random.normal(0, 22, pixels.shape)
    specks = random.random(pixels.shape)
    pixels[specks < 0.0006], pixels[specks > 0.9994] = 0, 255
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _squeezed(picture: Image.Image) -> Image.Image:
    """Sent through a low-quality JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=18)
    return Image.open(buffer).convert("L")


RENDITIONS: Final[dict[str, Drawing]] = {
    "clean": lambda picture: picture,
    "turned 90": _turned(90),
    "turned 180": _turned(180),
    "turned 270": _turned(270),
    "askew 2.5": _askew,
    "noisy": _noisy,
    "jpeg 18": _squeezed,
}
"""Ways to draw a page again. Only `clean` is a clean scan; the others are what arrives from phones and fax machines."""
