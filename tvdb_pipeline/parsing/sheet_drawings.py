"""What lies over the cells of a worksheet: charts, text boxes and pictures.

Belongs here: the drawing parts of an Excel package. Does not: cells and their comments (`workbook`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tvdb_pipeline.parsing.charts import C, Chart, read_chart
from tvdb_pipeline.parsing.ooxml import A, Package, R, choose_alternatives
from tvdb_pipeline.parsing.xml_tree import etree, parse_xml, to_xml

_XDR = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHEET_RELATIONS = re.compile(r"xl/(worksheets|chartsheets)/_rels/[^/]+\.rels")
_LARGE_BYTES = 50_000


@dataclass(slots=True)
class Drawings:
    """The drawings of one sheet."""

    charts: list[Chart] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    has_picture: bool = False
    large_picture: bool = False


def sheet_drawings(package: Package) -> Mapping[str, Drawings]:
    """The drawings of every sheet that has any, by the sheet's name."""
    root = package.xml("xl/workbook.xml")
    parts = package.relations("xl/workbook.xml")
    found: dict[str, Drawings] = {}
    for sheet in root.iter(f"{{{_MAIN}}}sheet") if root is not None else ():
        name, part = sheet.get("name"), parts.get(sheet.get(f"{{{R}}}id") or "", "")
        targets = [target for target in package.relations(part).values() if "/drawings/" in target] if part else []
        for target in targets:
            if target.endswith(".xml"):
                _read(package, target, found.setdefault(name, Drawings()))
    return found


def without_drawings(package: Package) -> None:
    """Take the drawings out of the package: openpyxl fails on some, and has nothing to say about any."""
    package.rewrite(_SHEET_RELATIONS, _without_drawing_relations)


def _read(package: Package, part: str, drawings: Drawings) -> None:
    root = package.xml(part)
    if root is None:
        return
    choose_alternatives(root)
    relations = package.relations(part)
    for node in root.iter(f"{{{C}}}chart"):
        chart = package.xml(relations.get(node.get(f"{{{R}}}id") or "", ""))
        if chart is not None:
            drawings.charts.append(read_chart(chart))
    for shape in root.iter(f"{{{_XDR}}}txBody"):
        lines = ["".join(leaf.text or "" for leaf in line.iter(f"{{{A}}}t")) for line in shape.iter(f"{{{A}}}p")]
        text = "\n".join(line.strip() for line in lines if line.strip())
        drawings.texts += [text] if text else []
    for blip in root.iter(f"{{{A}}}blip"):
        size = package.picture_sizes.get(relations.get(blip.get(f"{{{R}}}embed") or "", ""), 0)
        drawings.has_picture = True
        drawings.large_picture = drawings.large_picture or size > _LARGE_BYTES


def _without_drawing_relations(content: bytes) -> bytes:
    root = parse_xml(content)
    for relation in list(root.iter(etree.Element)):
        if (relation.get("Type") or "").endswith("/drawing"):
            root.remove(relation)
    return to_xml(root)
