"""Photographs of small printed things lying on a table, a little tilted and in perspective."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

Points = list[tuple[float, float]]


def photographed(flat: Image.Image, size: tuple[int, int], corners: Points, seed: int) -> Image.Image:
    """The flat print seen at the given corners (clockwise from top left) on a table top."""
    width, height = flat.size
    source: Points = [(0, 0), (width, 0), (width, height), (0, height)]
    mapping = _perspective(corners, source)
    table = _table_top(size, seed)
    seen = flat.convert("RGB").transform(size, Image.Transform.PERSPECTIVE, mapping, Image.Resampling.BICUBIC)
    mask = Image.new("L", flat.size, 255).transform(size, Image.Transform.PERSPECTIVE, mapping)
    shadow = mask.filter(ImageFilter.GaussianBlur(14)).point([level * 2 // 5 for level in range(256)])
    table.paste((30, 22, 16), (9, 12), shadow)
    table.paste(seen, (0, 0), mask)
    return _lit(table, seed + 1)


def _perspective(to: Points, source: Points) -> list[float]:
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(to, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    target = np.array(source, dtype=np.float64).reshape(8)
    return [float(value) for value in np.linalg.solve(np.array(rows, dtype=np.float64), target)]


def _table_top(size: tuple[int, int], seed: int) -> Image.Image:
    random = np.random.default_rng(seed)
    width, height = size
    grain = np.cumsum(random.normal(0.0, 1.0, height))
    grain = (grain - grain.mean()) / (grain.std() or 1.0) * 9
    plane = np.stack([np.full((height, width), base, dtype=np.float64) for base in (128.0, 96.0, 70.0)], axis=2)
    plane += grain[:, None, None]
    return Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8))


def _lit(image: Image.Image, seed: int) -> Image.Image:
    """Light falls off towards one corner, and the sensor adds a little noise."""
    random = np.random.default_rng(seed)
    pixels = np.asarray(image, dtype=np.float64)
    height, width = pixels.shape[:2]
    slope = np.add.outer(np.linspace(0, 0.08, height), np.linspace(0, 0.07, width))
    pixels = pixels * (1.0 - slope)[:, :, None] + random.normal(0.0, 2.0, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def jpg(image: Image.Image) -> bytes:
    """The photo as JPEG."""
    out = BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def webp(image: Image.Image) -> bytes:
    """The photo as WebP."""
    out = BytesIO()
    image.save(out, "WEBP", quality=70, method=4)
    return out.getvalue()
