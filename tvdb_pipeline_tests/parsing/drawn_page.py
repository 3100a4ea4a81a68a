"""Pages of text drawn for OCR tests, with the font that Pillow carries, and PDFs with such a picture on a page."""

from __future__ import annotations

import io

import pypdfium2 as pdfium
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


def with_picture(data: bytes, picture: Image.Image, box: tuple[float, float, float, float]) -> bytes:
    """The PDF with the picture on its first page; box: left, top, right, bottom in points from the top left."""
    document = pdfium.PdfDocument(data)
    page = document[0]
    left, top, right, bottom = box
    image = pdfium.PdfImage.new(document)
    image.set_bitmap(pdfium.PdfBitmap.from_pil(picture))
    image.set_matrix(pdfium.PdfMatrix(right - left, 0, 0, bottom - top, left, page.get_height() - bottom))
    page.insert_obj(image)
    page.gen_content()
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()
