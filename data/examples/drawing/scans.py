"""Turns a drawn page into what a scanner or a fax machine makes of it, always with the same noise for the same seed.

What stands on the page is decided elsewhere; photographs of small objects are in `photos`.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pypdfium2 as pdfium
from PIL import Image

DPI = 200


def raster(pdf: bytes, page: int = 0, dpi: int = DPI, grey: bool = True) -> Image.Image:
    """One page of a PDF as an image."""
    document = pdfium.PdfDocument(pdf)
    scale = dpi / 72  # the library takes a fraction, although its annotation says int
    image = document[page].render(scale=scale, grayscale=grey).to_pil()  # pyright: ignore[reportArgumentType]
    document.close()
    return image.convert("L" if grey else "RGB")


def scanned(image: Image.Image, seed: int, skew: float = 0.4, noise: float = 7.0) -> Image.Image:
    """A slightly skewed and noisy grey scan; a scanner clips the white of the paper, so most of it is clean."""
    random = np.random.default_rng(seed)
    tilted = image.convert("L").rotate(skew, Image.Resampling.BICUBIC, fillcolor=255)
    pixels = np.asarray(tilted, dtype=np.float64) * 0.86 + 22
    pixels += random.normal(0.0, noise, pixels.shape)
    pixels[pixels > 228] = 244
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def faxed(image: Image.Image, seed: int, skew: float = 0.3) -> Image.Image:
    """A black-and-white fax page with a few specks."""
    random = np.random.default_rng(seed)
    tilted = image.convert("L").rotate(skew, Image.Resampling.BICUBIC, fillcolor=255)
    pixels = np.asarray(tilted, dtype=np.float64) + random.normal(0.0, 18.0, tilted.size[::-1])
    black = pixels < 128
    black ^= random.random(black.shape) < 0.00012
    return Image.fromarray(np.where(black, 0, 255).astype(np.uint8)).convert("1")


def jpeg(image: Image.Image, quality: int = 58) -> bytes:
    """JPEG bytes that carry the scanning resolution."""
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, dpi=(DPI, DPI))
    return out.getvalue()


def png(image: Image.Image) -> bytes:
    """PNG bytes, in sixteen greys to keep the file small."""
    out = BytesIO()
    few = image.convert("L").point([level // 16 * 17 for level in range(256)])
    few.save(out, "PNG", optimize=True, dpi=(DPI, DPI))
    return out.getvalue()


def fax_file(pages: Sequence[Image.Image]) -> bytes:
    """A multi-page TIFF in the fax compression."""
    out = BytesIO()
    pages[0].save(out, "TIFF", compression="group4", save_all=True, append_images=list(pages[1:]), dpi=(DPI, DPI))
    return out.getvalue()
