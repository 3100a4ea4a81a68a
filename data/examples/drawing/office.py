"""Word, PowerPoint and Excel files, packed so that the same content always gives the same bytes."""

import re
import zipfile
from collections.abc import Sequence
from io import BytesIO

from docx import Document
from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from pptx.slide import Slide
from pptx.util import Inches

from drawing.blocks import Block
from drawing.marks import DRAWN

STAMP = DRAWN.timetuple()[:6]
Cell = str | float


def repacked(packed: bytes) -> bytes:
    """The same package with the time of drawing taken out of it."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                moment = DRAWN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + moment, content)
            entry = zipfile.ZipInfo(name, STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()


def to_docx(blocks: list[Block]) -> bytes:
    """A Word letter."""
    document = Document()
    for block in blocks:
        if block.kind == "table":
            grid = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
            for row in block.rows:
                for cell, text in zip(grid.add_row().cells, row, strict=True):
                    cell.text = text
        elif block.kind.startswith("h"):
            document.add_heading(block.text, level=int(block.kind[1]))
        else:
            document.add_paragraph(block.text, style="List Bullet" if block.kind == "li" else None)
    out = BytesIO()
    document.save(out)
    return repacked(out.getvalue())


def to_pptx(slides: Sequence[list[Block]]) -> bytes:
    """One slide per list of blocks; the first block is the title."""
    deck = Presentation()
    for blocks in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        title = slide.shapes.title
        assert title is not None
        title.text = blocks[0].text
        texts = [block for block in blocks[1:] if block.kind != "table"]
        frame = slide.shapes.add_textbox(Inches(0.6), Inches(1.6), Inches(8.8), Inches(2.2)).text_frame
        frame.word_wrap = True
        for number, block in enumerate(texts):
            line = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            line.text = block.text
        for block in blocks:
            if block.kind == "table":
                _slide_table(slide, block)
    out = BytesIO()
    deck.save(out)
    return repacked(out.getvalue())


def _slide_table(slide: Slide, block: Block) -> None:
    rows, columns = len(block.rows), len(block.rows[0])
    size = (Inches(0.6), Inches(3.9), Inches(8.8), Inches(0.4 * rows))
    grid = slide.shapes.add_table(rows, columns, *size).table
    for y, row in enumerate(block.rows):
        for x, text in enumerate(row):
            grid.cell(y, x).text = text


def to_xlsx(sheets: Sequence[tuple[str, Sequence[Sequence[Cell]]]]) -> bytes:
    """A workbook whose sheets start with a bold header row."""
    book = Workbook()
    for number, (title, rows) in enumerate(sheets):
        sheet = book.worksheets[0] if number == 0 else book.create_sheet()
        sheet.title = title
        for row in rows:
            sheet.append(list(row))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.column_dimensions["B"].width = 58
        sheet.freeze_panes = "A2"
    out = BytesIO()
    book.save(out)
    return repacked(out.getvalue())
