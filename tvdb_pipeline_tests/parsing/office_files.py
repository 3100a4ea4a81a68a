"""Builds Word and PowerPoint files for tests, and shows what was read.

Belongs here: files and views shared by several test modules. Does not: any assertion.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pptx
from msoffcrypto.format.ooxml import OOXMLFile
from PIL import Image

from tvdb_pipeline.parsing.parsed import ParsedDocument


def word(fill: Callable[[Any], None]) -> bytes:
    document = docx.Document()
    fill(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def slides(fill: Callable[[Any], None]) -> bytes:
    presentation = pptx.Presentation()
    fill(presentation)
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def picture(noise: bool = False) -> io.BytesIO:
    buffer = io.BytesIO()
    (Image.effect_noise((400, 400), 90) if noise else Image.new("RGB", (20, 20))).save(buffer, "PNG")
    return buffer


def strict(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            family = rb"http://purl.oclc.org/ooxml/\1/"
            content = re.sub(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/", family, source.read(name))
            target.writestr(name, source.read(name) if name == "[Content_Types].xml" else content)
    return buffer.getvalue()


def encrypted(data: bytes) -> bytes:
    sealed = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt("secret", sealed)
    return sealed.getvalue()


def found(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(element.category, element.text) for element in document.elements]


def text(document: ParsedDocument) -> str:
    return "\n".join(element.text for element in document.elements)


def plain_word() -> bytes:
    return word(lambda document: document.add_paragraph("The insurer pays for the loss."))
