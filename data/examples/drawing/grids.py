"""Tables on a PDF sheet: ruled, zebra-striped or set apart by white space only; the header repeats on each page."""

import re
from typing import TYPE_CHECKING

from reportlab.lib.utils import simpleSplit

from drawing.blocks import Block

if TYPE_CHECKING:
    from drawing.sheet import Sheet

NUMBER = re.compile(r"-?\$?[\d,]+(\.\d+)?%?")
PAD = 4.0


def draw_grid(sheet: "Sheet", block: Block) -> None:
    """Draw a table, over as many pages as it needs."""
    header, *body = block.rows
    shares = block.widths or tuple(1.0 for _ in header)
    right = [all(NUMBER.fullmatch(row[i]) or not row[i] for row in body) for i in range(len(header))]
    tallest = max(_height(sheet, row, shares, bold=False) for row in block.rows)
    sheet.room(_height(sheet, header, shares, bold=True) + tallest)
    drawn = [list(header)]
    _row(sheet, header, shares, right, block.look, 0)
    for number, row in enumerate(body, start=1):
        if sheet.y - _height(sheet, row, shares, bold=False) < sheet.bottom:
            sheet.page.tabulate(drawn)
            sheet.end_page()
            drawn = [list(header)]
            _open(sheet, header, shares, right, block.look)
        _row(sheet, row, shares, right, block.look, number)
        drawn.append(list(row))
    sheet.page.tabulate(drawn)
    sheet.y -= sheet.style.size


def _open(sheet: "Sheet", header: tuple[str, ...], shares: tuple[float, ...], right: list[bool], look: str) -> None:
    if sheet.page:
        _row(sheet, header, shares, right, look, 0)


def _columns(sheet: "Sheet", shares: tuple[float, ...]) -> list[float]:
    return [sheet.width * share / sum(shares) for share in shares]


def _lines(sheet: "Sheet", row: tuple[str, ...], shares: tuple[float, ...], bold: bool) -> list[list[str]]:
    font = sheet.style.bold if bold else sheet.style.font
    widths = _columns(sheet, shares)
    return [simpleSplit(cell, font, _size(sheet), width - 2 * PAD) for cell, width in zip(row, widths, strict=True)]


def _size(sheet: "Sheet") -> float:
    return sheet.style.size * 0.9


def _height(sheet: "Sheet", row: tuple[str, ...], shares: tuple[float, ...], bold: bool) -> float:
    return max(len(lines) for lines in _lines(sheet, row, shares, bold)) * _size(sheet) * 1.25 + 2 * PAD


def _row(
    sheet: "Sheet", row: tuple[str, ...], shares: tuple[float, ...], right: list[bool], look: str, number: int
) -> None:
    head, size, canvas = number == 0, _size(sheet), sheet.canvas
    height, x = _height(sheet, row, shares, head), sheet.left
    if (look == "ruled" and head) or (look == "zebra" and number % 2):
        canvas.setFillGray(0.88 if head else 0.94)
        canvas.rect(sheet.left, sheet.y - height, sheet.width, height, stroke=0, fill=1)
        canvas.setFillGray(0)
    font = sheet.style.bold if head else sheet.style.font
    for lines, width, flush in zip(_lines(sheet, row, shares, head), _columns(sheet, shares), right, strict=True):
        if look == "ruled":
            canvas.setLineWidth(0.6)
            canvas.rect(x, sheet.y - height, width, height)
        canvas.setFont(font, size)
        for index, line in enumerate(lines):
            baseline = sheet.y - PAD - size * (1.25 * index + 0.92)
            if flush:
                canvas.drawRightString(x + width - PAD, baseline, line)
            else:
                canvas.drawString(x + PAD, baseline, line)
        x += width
    sheet.y -= height
