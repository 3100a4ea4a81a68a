"""PowerPoint's slide XML, rewritten so that unstructured meets every visible word, and the pictures on slides.

Belongs here: slide parts in order, their rewriting, and picture places and sizes. Does not: charts, notes and comments
(`slide_extras`) or making elements (`office`).
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.assemble import Picture
from tvdb_pipeline.parsing.formulas import formula_text
from tvdb_pipeline.parsing.ooxml import A, M, Package, R, choose_alternatives
from tvdb_pipeline.parsing.xml_tree import etree, parse_xml, to_xml

SLIDE = re.compile(r"ppt/slides/[^/]+\.xml")
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_PRESENTATION = "ppt/presentation.xml"
_LARGE_BYTES = 50_000
_DEFAULT_SLIDE = (9_144_000, 6_858_000)

MOST_SLIDES = 2000
"""Of one presentation; the same slide can be listed any number of times."""


def slide_parts(package: Package) -> list[str]:
    """The names of the slide parts in the order they are shown. Raises DocumentRefused (`too_many_pages`)."""
    root = package.xml(_PRESENTATION)
    relations = package.relations(_PRESENTATION)
    wanted = [] if root is None else [node.get(f"{{{R}}}id") for node in root.iter(f"{{{P}}}sldId")]
    if len(wanted) > MOST_SLIDES:
        raise DocumentRefused("too_many_pages", f"The presentation has over {MOST_SLIDES} slides; split it.")
    return [relations[name] for name in wanted if name in relations]


def plain_slide(content: bytes) -> bytes:
    """A slide part with formulas as text and no shape that unstructured would take for being off the slide."""
    root = parse_xml(content)
    choose_alternatives(root)
    for formula in list(root.iter(f"{{{M}}}oMath")):
        _formula_as_run(formula)
    for frame in root.iter(f"{{{A}}}xfrm", f"{{{P}}}xfrm"):
        _pull_onto_slide(frame)
    for body in root.iter(f"{{{P}}}txBody"):
        _number_lists(body)
    for table in root.iter(f"{{{A}}}tbl"):
        _repeat_merged_cells(table)
    return to_xml(root)


def slide_pictures(package: Package, name: str, number: int) -> list[Picture]:
    """The pictures on one slide."""
    root = package.xml(name)
    relations = package.relations(name)
    found: list[Picture] = []
    for node in root.iter(f"{{{P}}}pic") if root is not None else ():
        blip = next(node.iter(f"{{{A}}}blip"), None)
        target = "" if blip is None else relations.get(blip.get(f"{{{R}}}embed") or "", "")
        size = package.picture_sizes.get(target, 0)
        found.append(Picture(number, size > _LARGE_BYTES or _area(node) > _slide_area(package) / 4))
    return found


def _formula_as_run(formula: Any) -> None:
    run = etree.Element(f"{{{A}}}r")
    etree.SubElement(run, f"{{{A}}}t").text = formula_text(formula)
    holder = formula
    while holder.getparent() is not None and holder.getparent().tag != f"{{{A}}}p":
        holder = holder.getparent()
    if holder.getparent() is not None:
        holder.getparent().replace(holder, run)


def _pull_onto_slide(frame: Any) -> None:
    offset, extent = frame.find(f"{{{A}}}off"), frame.find(f"{{{A}}}ext")
    if offset is None or extent is None:
        return
    # Inside a group, coordinates are the group's own and may well be negative.
    grouped = next(frame.iterancestors(f"{{{P}}}grpSp"), None) is not None
    sides = (("x", "cx"), ("y", "cy"))
    if not grouped and any(_number(offset.get(start)) + _number(extent.get(length)) <= 0 for start, length in sides):
        return
    for start, _ in sides:
        if _number(offset.get(start)) < 0:
            offset.set(start, "0")


def _number_lists(body: Any) -> None:
    # unstructured knows bullets but not numbers, and numbers are referred to.
    counts: dict[int, int] = {}
    for line in body.iter(f"{{{A}}}p"):
        properties = line.find(f"{{{A}}}pPr")
        number = None if properties is None else properties.find(f"{{{A}}}buAutoNum")
        level = 0 if properties is None else _number(properties.get("lvl"))
        counts = {deeper: count for deeper, count in counts.items() if deeper <= level - (number is None)}
        if number is None or properties is None or not "".join(line.itertext()).strip():
            continue
        counts[level] = counts.get(level, _number(number.get("startAt") or "1") - 1) + 1
        run = etree.Element(f"{{{A}}}r")
        etree.SubElement(run, f"{{{A}}}t").text = f"{counts[level]}. "
        properties.addnext(run)
        properties.replace(number, etree.Element(f"{{{A}}}buChar", char="•"))


def _repeat_merged_cells(table: Any) -> None:
    above: list[Any] = []
    for index, row in enumerate(table.findall(f"{{{A}}}tr")):
        cells = row.findall(f"{{{A}}}tc")
        for column, cell in enumerate(cells):
            source = None
            if cell.get("vMerge") in ("1", "true") and column < len(above):
                source = above[column]
            elif cell.get("hMerge") in ("1", "true") and column and index == 0:
                source = cells[column - 1]
            body = None if source is None else source.find(f"{{{A}}}txBody")
            own = cell.find(f"{{{A}}}txBody")
            if body is not None and own is not None:
                cell.replace(own, deepcopy(body))
        above = cells


def _area(picture: Any) -> int:
    extent = next(picture.iter(f"{{{A}}}ext"), None)
    sized = next((node for node in picture.iter(f"{{{A}}}ext") if node.get("cx")), extent)
    return 0 if sized is None else _number(sized.get("cx")) * _number(sized.get("cy"))


def _slide_area(package: Package) -> int:
    root = package.xml(_PRESENTATION)
    size = None if root is None else root.find(f"{{{P}}}sldSz")
    width, height = _DEFAULT_SLIDE if size is None else (_number(size.get("cx")), _number(size.get("cy")))
    return width * height


def _number(value: str | None) -> int:
    return int(value) if value and re.fullmatch(r"-?\d{1,15}", value) else 0
