"""lxml, set up so that nothing is fetched and no entity is resolved.

Belongs here: the parsers for XML and HTML. Does not: what the trees mean.
"""

from __future__ import annotations

from typing import Any

# lxml ships no types; every tree is Any to the rest of the package.
from lxml import etree as _lxml  # pyright: ignore[reportAttributeAccessIssue]

etree: Any = _lxml


def parse_xml(content: bytes) -> Any:
    """The root element of XML."""
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))


def to_xml(root: Any) -> bytes:
    """The inverse of `parse_xml`."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)


def parse_page(text: str) -> Any | None:
    """The root element of HTML, None where there is none."""
    if not text.strip():
        return None
    # Bytes, because an encoding declared in the text would contradict what it was decoded from.
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    return etree.fromstring(text.encode("utf-8", "replace"), parser)
