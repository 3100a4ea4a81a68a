"""Honest little Word, PowerPoint and Excel packages as parts by name, to be spoiled one part at a time.

Belongs here: those packages. Does not: what is wrong with any file.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from typing import Literal

import openpyxl

from tvdb_pipeline_tests.hostile.deflate import Entry, archive, packed
from tvdb_pipeline_tests.parsing.office_files import slides, word

Kind = Literal["docx", "pptx", "xlsx"]
SENTENCE = "The insurer pays for the loss."
MAIN: Mapping[Kind, str] = {
    "docx": "word/document.xml",
    "pptx": "ppt/slides/slide1.xml",
    "xlsx": "xl/worksheets/sheet1.xml",
}


@cache
def parts(kind: Kind) -> Mapping[str, bytes]:
    """Name -> content, in the order of the file."""
    with zipfile.ZipFile(io.BytesIO(_saved(kind))) as package:
        return {name: package.read(name) for name in package.namelist()}


def package(kind: Kind, changed: Mapping[str, bytes | Entry]) -> bytes:
    """The file with these parts put in or replaced."""
    entries: list[Entry] = []
    for name, content in {**parts(kind), **changed}.items():
        entries.append(content if isinstance(content, Entry) else packed(name, content))
    return archive(entries)


def replaced(kind: Kind, part: str, old: bytes, new: bytes) -> bytes:
    """The file with `old` replaced in one part, which must hold it."""
    content = parts(kind)[part]
    assert old in content, (part, old)
    return package(kind, {part: content.replace(old, new, 1)})


def body(kind: Kind, inner: bytes) -> bytes:
    """The file with `inner` in the place of its paragraphs, shapes or rows."""
    content = parts(kind)[MAIN[kind]]
    first, last = {
        "docx": (b"<w:body>", b"</w:body>"),
        "pptx": (b"<p:spTree>", b"</p:spTree>"),
        "xlsx": (b"<sheetData>", b"</sheetData>"),
    }[kind]
    start, end = content.index(first) + len(first), content.index(last)
    return package(kind, {MAIN[kind]: content[:start] + inner + content[end:]})


def _saved(kind: Kind) -> bytes:
    if kind == "docx":
        return word(lambda document: document.add_paragraph(SENTENCE))
    if kind == "pptx":
        return slides(lambda deck: _titled(deck.slides.add_slide(deck.slide_layouts[5])))
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(["Policy", "Premium"])
    book.active.append([SENTENCE, 12])
    book.save(buffer)
    return buffer.getvalue()


def _titled(slide: object) -> None:
    slide.shapes.title.text = SENTENCE  # pyright: ignore
