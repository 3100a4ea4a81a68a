"""lxml, set up so that nothing is fetched and no entity is resolved.

Belongs here: the parsers for XML and HTML. Does not: what the trees mean.
"""

from __future__ import annotations

from typing import Any, Final

# lxml ships no types; every tree is Any to the rest of the package.
from lxml import etree as _lxml  # pyright: ignore[reportAttributeAccessIssue]

from tvdb_pipeline.errors import DocumentRefused

etree: Any = _lxml
_TOO_DEEP: Final = "Excessive depth"
_TOO_LONG: Final = ("huge text node", "huge input lookup", "too long", "Buffer size limit")


def parse_xml(content: bytes) -> Any:
    """The root element of XML. Raises DocumentRefused (`nested_too_deep`, `too_large`), or lxml's error for what is no XML.

    The library's own bounds hold: 256 levels, 10 million characters a text.
    """
    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))
    except etree.XMLSyntaxError as error:
        if _TOO_DEEP in str(error):
            raise nested_too_deep() from None
        if any(words in str(error) for words in _TOO_LONG):
            raise _too_long() from None
        raise


def _too_long() -> DocumentRefused:
    return DocumentRefused("too_large", "One text in the file is over ten million characters; split it.")


def nested_too_deep() -> DocumentRefused:
    """The refusal of what holds itself in itself over and over."""
    return DocumentRefused(
        "nested_too_deep", "The content is nested too deep to be read; simplify it and save it again."
    )


def to_xml(root: Any) -> bytes:
    """The inverse of `parse_xml`."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)


def parse_page(text: str) -> Any | None:
    """The root element of HTML, None where there is none. Raises DocumentRefused (`nested_too_deep`, `too_large`).

    The library's own bounds are the same as for XML; it would end the page there without a word.
    """
    if not text.strip():
        return None
    # Bytes, because an encoding declared in the text would contradict what it was decoded from.
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    for entry in parser.error_log:
        if entry.type_name == "ERR_RESOURCE_LIMIT":
            raise nested_too_deep() if _TOO_DEEP in entry.message else _too_long()
    return root
