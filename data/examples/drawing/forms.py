"""Forms made of labelled boxes, filled in with a typewriter face and an italic hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.utils import simpleSplit

from drawing.sheet import Sheet


@dataclass(frozen=True)
class Box:
    """One box of a form: the printed label and what was filled in."""

    label: str
    entry: str
    share: float = 1.0
    by_hand: bool = False


def draw_form(sheet: Sheet, rows: Sequence[Sequence[Box]], height: float = 36.0) -> None:
    """Draw rows of boxes; the truth reads each box as its label, then its entry."""
    for row in rows:
        total = sum(box.share for box in row)
        needed = max(_height(sheet, box, sheet.width * box.share / total, height) for box in row)
        sheet.room(needed)
        x = sheet.left
        for box in row:
            width = sheet.width * box.share / total
            _draw_box(sheet, box, x, width, needed)
            x += width
        sheet.y -= needed


def _face(box: Box) -> tuple[str, float]:
    return ("VeraIt", 11.0) if box.by_hand else ("Courier-Bold", 11.0)


def _height(sheet: Sheet, box: Box, width: float, least: float) -> float:
    font, size = _face(box)
    return max(least, 18.0 + len(simpleSplit(box.entry, font, size, width - 10)) * size * 1.35)


def _draw_box(sheet: Sheet, box: Box, x: float, width: float, height: float) -> None:
    canvas = sheet.canvas
    canvas.setLineWidth(0.8)
    canvas.rect(x, sheet.y - height, width, height)
    canvas.setFont("Helvetica", 7.5)
    canvas.drawString(x + 4, sheet.y - 10, box.label)
    sheet.page.say(box.label)
    font, size = _face(box)
    canvas.setFont(font, size)
    for number, line in enumerate(simpleSplit(box.entry, font, size, width - 10)):
        canvas.drawString(x + 6, sheet.y - 24 - number * size * 1.3, line)
    sheet.page.say(box.entry)
