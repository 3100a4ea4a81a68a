"""Plain text: bytes to characters, and characters to elements.

Belongs here: encodings, telling text from binary, paragraphs and list items of a text without markup. Does not: markup
of any kind (`web`) or rows of cells (`tabular`).
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.assemble import assemble
from tvdb_pipeline.parsing.language_model import prepare
from tvdb_pipeline.parsing.parsed import ParsedDocument

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")
_NO_CHARSETS = frozenset(
    {"punycode", "idna", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape"}
)
_MOST_CONTROL_CHARACTERS = 0.05
_LIST_START = re.compile(r"\s*([-*•‣◦●▪\u2013]|\(?(\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)])\s")
_NAME_AND_VALUE = re.compile(r"[^:]{1,60}:(\s|$)")
_SHORTEST_WRAPPED_LINE = 45
_LONGEST_HEADING = 80
_VAST_GAP = re.compile(r"\s{200,}")

MOST_PARAGRAPHS = 100_000
"""Of one text: unstructured reads 3,000 a second."""


def parse_text(data: bytes) -> ParsedDocument:
    """A text file. Whitespace only gives no elements and one blank page."""
    return assemble("text/plain", text_elements(decode(data)))


def decode(data: bytes, declared: str | None = None) -> str:
    """Bytes to text: by byte order mark, else UTF-8, else `declared`, else Windows-1252; refuses what is no text."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _checked(data.decode(encoding, "replace"))
    for encoding in ("utf-8", declared if is_charset(declared) else None, "cp1252"):
        try:
            return _checked(data.decode(encoding or "utf-8"))
        except UnicodeError:
            continue
    # A handful of bytes mean nothing in Windows-1252; one of them must not cost the document.
    return _checked(data.decode("cp1252", "replace"))


def is_charset(name: str | None) -> bool:
    """Whether text is written in an encoding of this name: Python knows some that are none, and slow ones among them."""
    try:
        return name is not None and codecs.lookup(name).name not in _NO_CHARSETS and bool("a".encode(name))
    except (LookupError, UnicodeError, ValueError):
        return False


def text_elements(text: str) -> list[Element]:
    """Elements of a text without markup. Raises DocumentRefused (`too_large`)."""
    if not text.strip():
        return []
    # Time to look for the end of a paragraph grows with the square of a gap.
    text = _VAST_GAP.sub(lambda gap: "\n\n" if "\n" in gap[0] else " ", text)
    if paragraphs(text).count("\n") >= MOST_PARAGRAPHS:
        raise DocumentRefused("too_large", f"The text has over {MOST_PARAGRAPHS} paragraphs; split it.")
    prepare()
    from unstructured.partition.text import partition_text

    return [_classified(element) for element in partition_text(text=text, paragraph_grouper=paragraphs, languages=[""])]


def _classified(element: Element) -> Element:
    from unstructured.documents.elements import Text, Title

    text = element.text
    if isinstance(element, Title) and _NAME_AND_VALUE.match(text) and not text.endswith(":"):
        # `Policy number: 123` is short and capitalised as titles are, but it is content.
        return Text(text, metadata=element.metadata)
    if type(element) is Text and text.isupper() and text.endswith(":") and len(text) <= _LONGEST_HEADING:
        return Title(text, metadata=element.metadata)
    return element


def paragraphs(text: str) -> str:
    """The text with one line for each paragraph or list item: lines broken only to fit a width are joined again."""
    lines: list[str] = []
    wrapped = False
    for line in text.splitlines():
        bare = line.strip()
        if bare and wrapped and not _starts_anew(bare):
            lines[-1] = f"{lines[-1]} {bare}"
        else:
            lines.append(bare)
        wrapped = len(bare) >= _SHORTEST_WRAPPED_LINE and not bare.endswith(":")
    return "\n".join(line for line in lines if line)


def _starts_anew(line: str) -> bool:
    return bool(_LIST_START.match(line + " ") or _NAME_AND_VALUE.match(line) or line.isupper())


def _checked(text: str) -> str:
    sample = text[:1_000_000]
    odd = len(_CONTROL.findall(sample)) + sample.count("\ufffd")
    if "\x00" in text or odd > max(2, len(sample) * _MOST_CONTROL_CHARACTERS):
        raise DocumentRefused("not_text", "This is no text file; give it its proper ending or save it as text.")
    return _CONTROL.sub(" ", text)
