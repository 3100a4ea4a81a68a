"""Pages of text drawn for OCR tests, with the font that Pillow carries."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

TEXT = (
    "Homeowners policy declarations",
    "Policy number HO-3 44512 is in force",
    "The deductible is $1,000 for each loss",
    "Coverage A dwelling limit $350,000",
    "Water damage is covered when sudden",
)
DPI = 100.0


def drawn_page(lines: tuple[str, ...] = TEXT, size: int = 22) -> Image.Image:
    page = Image.new("RGB", (620, 800), "white")
    pen = ImageDraw.Draw(page)
    for index, line in enumerate(lines):
        pen.text((60, 80 + 60 * index), line, fill="black", font=ImageFont.load_default(size=size))
    return page


def words(texts: list[str]) -> set[str]:
    return {word for text in texts for word in text.lower().split()}
