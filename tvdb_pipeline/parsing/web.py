"""HTML and Markdown to elements.

Belongs here: bringing a web page into the form unstructured reads whole. Does not: bytes to characters (`plain_text`)
or what a table means (`tables`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.assemble import assemble, tables_as_text
from tvdb_pipeline.parsing.html_tables import header_rows_in_html, node_text, rows_from_html
from tvdb_pipeline.parsing.language_model import prepare
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.plain_text import decode, text_elements
from tvdb_pipeline.parsing.xml_tree import etree, nested_too_deep, parse_page

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_DECLARED_ENCODING = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE)
# Time for a tag grows with the square of its attributes.
_LONG_TAG, _SPACE, _MOST_ATTRIBUTES = re.compile(r"<[a-zA-Z][^<>]{20000,}"), re.compile(r"\s+"), 10_000
_BLANK_LINES = re.compile(r"\n[ \t]*\n")
_OPENERS = re.compile(r"[\[<*_`]")
_MOST_LINES, _MOST_OPENERS = 3000, 3000
_UNSEEN = ("script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "link", "meta", "head")
# unstructured leaves these out with all they hold; on a page they are only frames around text.
_FRAMES = dict.fromkeys(("form", "figure", "details", "nav", "dialog", "main", "fieldset"), "div")
_LINES = {"figcaption": "p", "summary": "p", "legend": "p", "caption": "caption", "label": "span"}
_WRITTEN_INPUTS = frozenset({"", "text", "number", "date", "email", "tel", "url", "search", "month", "time"})
_JOINER = "\N{WORD JOINER}"
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def parse_html(data: bytes) -> ParsedDocument:
    """A web page. Whitespace only gives no elements and one blank page."""
    declared = _DECLARED_ENCODING.search(data[:4096])
    text = decode(data, declared[1].decode("ascii", "ignore") if declared else None)
    return assemble("text/html", html_elements(text))


def parse_markdown(data: bytes) -> ParsedDocument:
    """A Markdown file, with tables and fenced code; one with blocks no person writes is read as plain text."""
    text = decode(data)
    elements = text_elements(text) if _is_tangled(text) else html_elements(_markdown_as_html(text))
    return assemble("text/markdown", elements)


def _markdown_as_html(text: str) -> str:
    import markdown

    try:
        return markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists"]) if text.strip() else ""
    except RecursionError:
        raise nested_too_deep() from None


def _is_tangled(text: str) -> bool:
    """Whether a block is beyond what the Markdown reader takes in reasonable time, which grows with the square of these."""
    for block in _BLANK_LINES.split(text):
        if block.count("\n") > _MOST_LINES or len(_OPENERS.findall(block)) > _MOST_OPENERS:
            return True
    return False


def html_elements(text: str) -> list[Element]:
    """Elements of a page given as text; DocumentRefused where it cannot be taken apart."""
    if not text.strip():
        return []
    prepare()
    from unstructured.partition.html import partition_html

    try:
        page = _plain_page(text)
        found = partition_html(text=page, languages=[""]) if page else []
        return [_without_joiner(element) for element in tables_as_text(found)]
    except (TvdbError, MemoryError):
        raise
    except Exception:
        raise DocumentRefused("corrupt", "The HTML cannot be taken apart; save the page again.") from None


def _plain_page(text: str) -> str:
    if any(len(_SPACE.findall(tag[0])) > _MOST_ATTRIBUTES for tag in _LONG_TAG.finditer(text)):
        raise DocumentRefused("corrupt", "A tag of the page has thousands of attributes; save the page again.")
    root = parse_page(text)
    if root is None:
        return ""
    title = _title(root)
    etree.strip_elements(root, *_UNSEEN, with_tail=False)
    for node in [node for node in root.iter(etree.Element) if _is_hidden(node)]:
        _drop(node)
    for node in list(root.iter(*_FRAMES, *_LINES)):
        node.tag = {**_FRAMES, **_LINES}[node.tag]
    for node in list(root.iter("input", "select", "textarea", "button")):
        _spell_out_field(node)
    for table in reversed(list(root.iter("table"))):
        _plain_table(table)
    _protect_single_characters(root)
    body = root.find("body") if root.find("body") is not None else root
    if title and title.casefold() not in {node_text(head).casefold() for head in body.iter("h1", "h2")}:
        heading = etree.Element("h1")
        heading.text, heading.tail, body.text = title, body.text, None
        body.insert(0, heading)
    return etree.tostring(root, encoding="unicode", method="html")


def _title(root: Any) -> str:
    node = root.find("head/title")
    return "" if node is None else " ".join("".join(node.itertext()).split())


def _is_hidden(node: Any) -> bool:
    return node.get("hidden") is not None or bool(_HIDDEN_STYLE.search(node.get("style") or ""))


def _drop(node: Any, replacement: str = "") -> None:
    """Remove a node, leaving `replacement` and the text behind it."""
    parent = node.getparent()
    if parent is None:
        return
    text = replacement + (node.tail or "")
    before = node.getprevious()
    if before is None:
        parent.text = (parent.text or "") + text
    else:
        before.tail = (before.tail or "") + text
    parent.remove(node)


def _spell_out_field(node: Any) -> None:
    kind = (node.get("type") or "").lower()
    if node.tag == "textarea":
        shown = node.text or ""
    elif node.tag == "select":
        chosen = [option for option in node.iter("option") if option.get("selected") is not None]
        shown = ", ".join(node_text(option) for option in chosen)
    elif node.tag == "input" and kind in ("checkbox", "radio"):
        shown = "☒" if node.get("checked") is not None else "☐"
    else:
        shown = (node.get("value") or "") if node.tag == "input" and kind in _WRITTEN_INPUTS else ""
    _drop(node, f" {shown} " if shown else " ")


def _plain_table(table: Any) -> None:
    """Turn a table made for layout into plain blocks, and any other into a grid of plain cells without spans."""
    rows = table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
    cells = [cell for row in rows for cell in row if cell.tag in ("td", "th")]
    if _is_layout(table, rows, cells):
        for node in [table, *table.xpath("./thead | ./tbody | ./tfoot | ./caption"), *rows, *cells]:
            node.tag = "div"
        return
    markup = etree.tostring(table, encoding="unicode", method="html", with_tail=False)
    grid, headers = rows_from_html(markup), header_rows_in_html(markup)
    for child in [child for child in table if child.tag != "caption"]:
        table.remove(child)
    for index, texts in enumerate(grid):
        row = etree.SubElement(table, "tr")
        for column, text in enumerate(texts):
            label = index < headers if headers else headers == 0 and column == 0
            etree.SubElement(row, "th" if label else "td").text = text


def _is_layout(table: Any, rows: list[Any], cells: list[Any]) -> bool:
    if table.get("role") in ("presentation", "none") or len(cells) <= 1:
        return True
    if any(cell.tag == "th" for cell in cells) or (table.get("border") or "0") != "0":
        return False
    inner = [inner for cell in cells for inner in cell.iter("table")]
    single_column = all(sum(cell.tag in ("td", "th") for cell in row) <= 1 for row in rows)
    if inner:
        words = len(node_text(table))
        return single_column or len(rows) == 1 or any(len(node_text(one)) > max(500, words / 2) for one in inner)
    blocks = [block for cell in cells for block in cell.iter("div", "p", "h1", "h2", "h3", "ul", "ol")]
    return single_column and bool(blocks)


def _protect_single_characters(root: Any) -> None:
    # unstructured drops paragraphs of one character: an answer `2` in a form would be lost.
    for node in root.iter("p", "div", "dd", "dt", "section", "article"):
        if len(node_text(node)) == 1:
            leaf = next(child for child in node.iter() if (child.text or "").strip())
            leaf.text = leaf.text.strip() + _JOINER


def _without_joiner(element: Element) -> Element:
    element.text = element.text.replace(_JOINER, "")
    return element
