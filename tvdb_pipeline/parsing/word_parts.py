"""Word's XML, rewritten so that unstructured meets every word of a document.

unstructured reads plain paragraphs and tables in the body. Words in content controls, tracked insertions, text boxes,
formulas, charts and diagrams are put into plain paragraphs and tables here, at their place.

Belongs here: the rewriting of `word/*.xml`. Does not: notes and comments (`word_notes`), page breaks and
pictures (`word_pages`), or making elements (`office`).
"""

from __future__ import annotations

import re
from typing import Any

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.charts import DGM, C, read_chart, read_diagram
from tvdb_pipeline.parsing.formulas import formula_text
from tvdb_pipeline.parsing.ooxml import M, Package, R, W, choose_alternatives, replace_with_children
from tvdb_pipeline.parsing.xml_tree import etree, parse_xml, to_xml

DOCUMENT = "word/document.xml"
_MARGINS = re.compile(r"word/(header|footer)\d*\.xml")
_WRAPPERS = ("ins", "moveTo", "smartTag", "customXml", "fldSimple", "dir", "bdo", "sdt", "sdtContent")
_REMOVED = ("del", "moveFrom", "sdtPr", "sdtEndPr", "smartTagPr", "customXmlPr")
_PROPERTIES = (f"{{{W}}}rPr", f"{{{W}}}trPr", f"{{{W}}}tcPr", f"{{{W}}}numPr")


MOST_PARAGRAPHS = 100_000
"""A document of 3,000 pages has as many; unstructured reads 5,000 a second."""


def w(name: str) -> str:
    """The full name of a Word tag."""
    return f"{{{W}}}{name}"


def plain_document(package: Package) -> Any:
    """Rewrite headers and footers in the package, and return the root of the rewritten document part.

    Raises DocumentRefused (`too_large`).
    """
    package.rewrite(_MARGINS, lambda content: to_xml(plain(parse_xml(content))))
    root = parse_xml(package.parts[DOCUMENT])
    if sum(1 for _ in root.iter(w("p"))) > MOST_PARAGRAPHS:
        raise DocumentRefused("too_large", f"The document has over {MOST_PARAGRAPHS} paragraphs; split it.")
    root = plain(root)
    _spell_out_drawings(root, package)
    for table in list(root.iter(w("tbl"))):
        # A frame around a paragraph is drawn as a table with one cell.
        cells = [cell for row in table.findall(w("tr")) for cell in row.findall(w("tc"))]
        if len(cells) == 1:
            replace_with_children(table, [child for child in cells[0] if child.tag != w("tcPr")])
    return root


def plain(root: Any) -> Any:
    """Bring every word below `root` into plain runs and paragraphs; changes `root` and returns it."""
    choose_alternatives(root)
    for row in [mark.getparent().getparent() for mark in root.iter(w("del")) if mark.getparent().tag == w("trPr")]:
        row.getparent().remove(row)
    for node in _outside_properties(root, _REMOVED):
        node.getparent().remove(node)
    for node in _outside_properties(root, _WRAPPERS):
        replace_with_children(node)
    for formula in list(root.iter(f"{{{M}}}oMath")):
        formula.getparent().replace(formula, run(formula_text(formula)))
    for wrapper in list(root.iter(f"{{{M}}}oMathPara")):
        replace_with_children(wrapper)
    for box in list(root.iter(w("checkBox"))):
        _spell_out_checkbox(box)
    _move_text_boxes(root)
    return root


def _outside_properties(root: Any, names: tuple[str, ...]) -> list[Any]:
    # The same names in properties mark a paragraph end or row as inserted or deleted; those hold no text.
    found = root.iter(*(w(name) for name in names))
    return [node for node in found if node.getparent() is not None and node.getparent().tag not in _PROPERTIES]


def paragraph(text: str) -> Any:
    """A new paragraph holding `text`."""
    node = _new("p")
    node.append(run(text))
    return node


def run(text: str) -> Any:
    """A new run holding `text`."""
    node = _new("r")
    leaf = _new("t")
    leaf.text = text
    leaf.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    node.append(leaf)
    return node


def _new(name: str) -> Any:
    return etree.Element(w(name), {}, {"w": W})


def _spell_out_checkbox(box: Any) -> None:
    states = {child.tag: child.get(w("val")) for child in box}
    state = states.get(w("checked"), "1") if w("checked") in states else states.get(w("default"), "0")
    holder = next(box.iterancestors(w("r")), None)
    if holder is not None:
        holder.addnext(run("☒ " if state not in ("0", "false") else "☐ "))


def _move_text_boxes(root: Any) -> None:
    for box in list(root.iter(w("txbxContent"))):
        anchor = next(box.iterancestors(w("p")), None)
        if anchor is None:
            continue
        for block in reversed([child for child in box if child.tag in (w("p"), w("tbl"))]):
            anchor.addnext(block)
        box.getparent().remove(box)


def _spell_out_drawings(root: Any, package: Package) -> None:
    relations = package.relations(DOCUMENT)
    for node in list(root.iter(f"{{{C}}}chart", f"{{{DGM}}}relIds")):
        anchor = next(node.iterancestors(w("p")), None)
        target = relations.get(node.get(f"{{{R}}}id") or node.get(f"{{{R}}}dm") or "", "")
        part = package.xml(target)
        if anchor is None or part is None:
            continue
        if node.tag.startswith(f"{{{DGM}}}"):
            blocks = [paragraph(line) for line in read_diagram(part)]
        else:
            chart = read_chart(part)
            blocks = [paragraph(chart.title)] if chart.title else []
            blocks += [_table(chart.rows)] if chart.rows else []
        for block in reversed(blocks):
            anchor.addnext(block)


def _table(rows: list[list[str]]) -> Any:
    table = _new("tbl")
    grid = _new("tblGrid")
    grid.extend(_new("gridCol") for _ in rows[0])
    table.append(grid)
    for cells in rows:
        row = _new("tr")
        for text in cells:
            cell = _new("tc")
            cell.append(paragraph(text))
            row.append(cell)
        table.append(row)
    return table
