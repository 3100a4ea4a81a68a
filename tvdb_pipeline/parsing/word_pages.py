"""Pages of a Word document: where they break, and which pictures are on them.

Belongs here: page breaks in the form unstructured counts, and the place and size of pictures. Does not: text.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.assemble import Picture
from tvdb_pipeline.parsing.ooxml import VML, WP, A, Package, R
from tvdb_pipeline.parsing.word_parts import DOCUMENT, w
from tvdb_pipeline.parsing.xml_tree import etree

_EMU_PER_TWIP = 635
_POINTS = re.compile(r"(width|height)\s*:\s*([\d.]+)(pt|in|px)?")
_EMU_PER_UNIT = {"pt": 12_700, "in": 914_400, "px": 9_525, None: 9_525}
_LARGE_BYTES = 50_000

MOST_PAGES = 10_000
"""Of one document; a page break takes a few bytes, and every page is accounted for."""


def mark_breaks(root: Any) -> int:
    """Make every page break countable for unstructured, and return the number of pages.

    Breaks as last drawn by Word are used where there are any, else those the author set. Raises DocumentRefused
    (`too_many_pages`).
    """
    body = root.find(w("body"))
    if body is None:
        return 1
    if next(root.iter(w("lastRenderedPageBreak")), None) is None:
        _mark_set_breaks(body)
    _move_breaks_out_of_tables(body)
    count = 1 + sum(1 for _ in root.iter(w("lastRenderedPageBreak")))
    if count > MOST_PAGES:
        raise DocumentRefused(
            "too_many_pages", f"The document has {count} pages, over the limit of {MOST_PAGES}; split it."
        )
    return count


def pictures(root: Any, package: Package) -> list[Picture]:
    """The pictures of the document in order."""
    page_area = _page_area(root)
    relations = package.relations(DOCUMENT)
    found: list[Picture] = []
    page = 1
    for node in root.iter(w("lastRenderedPageBreak"), f"{{{A}}}blip", f"{{{VML}}}imagedata"):
        if node.tag == w("lastRenderedPageBreak"):
            page += 1
            continue
        target = relations.get(node.get(f"{{{R}}}embed") or node.get(f"{{{R}}}id") or "", "")
        size = package.picture_sizes.get(target, 0)
        found.append(Picture(page, size > _LARGE_BYTES or _area(node) > page_area / 4))
    return found


def _mark_set_breaks(body: Any) -> None:
    for node in list(body.iter(w("br"))):
        if node.get(w("type")) == "page":
            node.addnext(_break())
    for before in list(body.iter(w("pageBreakBefore"))):
        block = next(before.iterancestors(w("p")), None)
        # A document does not begin with an empty page.
        if block is not None and before.get(w("val")) not in ("0", "false") and block.getprevious() is not None:
            _put_first(block, 1)
    sections = list(body.iter(w("sectPr")))
    for section, after in itertools.pairwise(sections):
        kind = _section_kind(after)
        following = next(section.iterancestors(w("p")), section).getnext()
        target = None if following is None else next(following.iter(w("p")), None)
        if kind != "continuous" and target is not None:
            _put_first(target, 1)


def _section_kind(section: Any) -> str:
    kind = section.find(w("type"))
    return "nextPage" if kind is None else kind.get(w("val")) or "nextPage"


def _move_breaks_out_of_tables(body: Any) -> None:
    # unstructured counts breaks in paragraphs only: those in a table are moved to the paragraph behind it.
    for table in body.findall(w("tbl")):
        count = 0
        for row in table.iter(w("tr")):
            count += max((len(list(cell.iter(w("lastRenderedPageBreak")))) for cell in row.findall(w("tc"))), default=0)
        for mark in list(table.iter(w("lastRenderedPageBreak"))):
            mark.getparent().remove(mark)
        following = next(table.itersiblings(w("p")), None)
        if count and following is not None:
            _put_first(following, count)


def _put_first(block: Any, count: int) -> None:
    place = 1 if len(block) and block[0].tag == w("pPr") else 0
    for _ in range(count):
        holder = etree.Element(w("r"))
        holder.append(_break())
        block.insert(place, holder)


def _break() -> Any:
    return etree.Element(w("lastRenderedPageBreak"))


def _page_area(root: Any) -> float:
    size = next(root.iter(w("pgSz")), None)
    width, height = (size.get(w("w")), size.get(w("h"))) if size is not None else (None, None)
    return _twips(width, 12_240) * _twips(height, 15_840) * _EMU_PER_TWIP**2


def _twips(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isascii() and value.isdigit() else otherwise


def _area(node: Any) -> float:
    for holder in node.iterancestors(f"{{{WP}}}inline", f"{{{WP}}}anchor", f"{{{VML}}}shape"):
        extent = holder.find(f"{{{WP}}}extent")
        if extent is not None:
            return _twips(extent.get("cx"), 0) * _twips(extent.get("cy"), 0)
        sides = {name: float(value) * _EMU_PER_UNIT[unit or None] for name, value, unit in _sides(holder)}
        return sides.get("width", 0) * sides.get("height", 0)
    return 0.0


def _sides(holder: Any) -> list[tuple[str, str, str]]:
    return [match for match in _POINTS.findall(holder.get("style") or "") if match[1].count(".") < 2]
