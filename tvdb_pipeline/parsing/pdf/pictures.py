"""Pictures with text on pages that have a text layer, too: a table pasted as a picture, a scan below a typed heading.

Belongs here: choosing those pictures and reading what the layer does not say. Does not: pages that are pictures as a whole
(`routing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pypdfium2 as pdfium
from PIL import Image, ImageDraw

from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.pdf.geometry import PageFrame

_LEAST_SHARE: Final = 0.08  # of the page; logos cover up to 0.05
_MOST: Final = 300  # pictures of one page; more are the tiles of a drawing
_NEAR: Final = 3.0  # points between strips of one scan
_LAYER: Final = 0.0008
"""Characters a square point from which the layer is taken to say what the picture shows: a page of prose has 0.006, a chart with
typed labels 0.0014, a scan with a typed heading or typed entries less."""

_PAPER_DPI, _PAPER_SHADES, _PAPER_SHARE, _INK_SHARE = 36, 20, 0.3, 0.004
"""Text stands on paper: so much of the picture has nearly one shade, and so little need differ from it. Few photographs do."""

_BELIEVED: Final = 0.8  # confidence; below, lines found in a photograph are noise
_EDGE: Final = 1.0  # points


@dataclass(slots=True)
class PictureText:
    """What pictures on a page say: lines; confidence of the least sure one, None where none was read; notes."""

    lines: list[TextLine] = field(default_factory=list[TextLine])
    confidence: float | None = None
    notes: list[str] = field(default_factory=list[str])


def text_pictures(pictures: Sequence[Box], lines: Sequence[TextLine], frame: PageFrame) -> list[Box]:
    """Regions under large pictures of whose content the text layer says little or nothing."""
    least = _LEAST_SHARE * frame.width * frame.height
    if not pictures or len(pictures) > _MOST or sum(map(_area, pictures)) < least:
        return []
    return [
        region
        for region in _joined(pictures)
        if _area(region) >= least
        and sum(len(line.text) for line in lines if _overlap(line.box, region)) < _LAYER * _area(region)
    ]


def read_pictures(
    page: pdfium.PdfPage, frame: PageFrame, regions: Sequence[Box], lines: Sequence[TextLine], dpi: float, engine: str
) -> PictureText:
    """Read each region; what the text layer says there is covered with paper first, so that no word comes twice."""
    result = PictureText()
    for region in regions:
        if not _is_on_paper(_rendered(page, frame, region, _PAPER_DPI)):
            continue
        # Most pages have no such picture; they do not wait for the OCR engine to be imported.
        from tvdb_pipeline.parsing import ocr

        image = _rendered(page, frame, region, dpi)
        _cover(image, region, lines, dpi)
        read = ocr.read_page(image, 1, dpi, engine)
        sure = read.report.confidence
        if read.lines and sure is not None and sure >= _BELIEVED:
            result.lines.extend(_placed(read, region))
            result.confidence = min(sure, result.confidence or 1.0)
        if read.report.note and (read.lines or "script" in read.report.note):
            result.notes.append(f"picture: {read.report.note}")
    return result


def _rendered(page: pdfium.PdfPage, frame: PageFrame, region: Box, dpi: float) -> Image.Image:
    crop = (region.left, frame.height - region.bottom, frame.width - region.right, region.top)
    return page.render(scale=dpi / 72, crop=crop, grayscale=True).to_pil().convert("L")  # pyright: ignore[reportArgumentType]


def _is_on_paper(image: Image.Image) -> bool:
    histogram = image.histogram()
    total = sum(histogram)
    paper = max(range(256), key=lambda shade: sum(histogram[max(0, shade - _PAPER_SHADES) : shade + _PAPER_SHADES + 1]))
    near = sum(histogram[max(0, paper - _PAPER_SHADES) : paper + _PAPER_SHADES + 1])
    return near >= _PAPER_SHARE * total and total - near >= _INK_SHARE * total


def _cover(image: Image.Image, region: Box, lines: Sequence[TextLine], dpi: float) -> None:
    histogram, scale, pen = image.histogram(), dpi / 72, ImageDraw.Draw(image)
    paper = max(range(256), key=histogram.__getitem__)
    for line in lines:
        if _overlap(line.box, region):
            left, top = line.box.left - region.left - _EDGE, line.box.top - region.top - _EDGE
            right, bottom = line.box.right - region.left + _EDGE, line.box.bottom - region.top + _EDGE
            pen.rectangle((left * scale, top * scale, right * scale, bottom * scale), fill=paper)


def _placed(read: PageLines, region: Box) -> list[TextLine]:
    """Lines of a region where they stand on the page; those of a region that lies on its side, in their order within it."""
    across = (region.right - region.left) / max(read.width, 1.0)
    down = (region.bottom - region.top) / max(read.height, 1.0)
    return [
        replace(
            line,
            box=Box(
                region.left + line.box.left * across, region.top + line.box.top * down,
                region.left + line.box.right * across, region.top + line.box.bottom * down,
            ),
            size=line.size * min(down, 1.0),
        )
        for line in read.lines
    ]  # fmt: skip


def _joined(pictures: Sequence[Box]) -> list[Box]:
    """The pictures, with those that touch as one: scans come in strips and tiles."""
    regions: list[Box] = []
    for picture in sorted(pictures, key=lambda box: (box.top, box.left)):
        region = picture
        while touching := next((other for other in regions if _overlap(_widened(other), region)), None):
            regions.remove(touching)
            region = Box(
                min(region.left, touching.left), min(region.top, touching.top),
                max(region.right, touching.right), max(region.bottom, touching.bottom),
            )  # fmt: skip
        regions.append(region)
    return regions


def _widened(box: Box) -> Box:
    return Box(box.left - _NEAR, box.top - _NEAR, box.right + _NEAR, box.bottom + _NEAR)


def _area(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def _overlap(one: Box, other: Box) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom
