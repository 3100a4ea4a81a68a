"""Running headers, footers and page numbers: lines at a page's edge that come back page after page.

Belongs here: finding them. Does not: anything about the body.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from tvdb_pipeline.parsing.layout.grid import Grid
from tvdb_pipeline.parsing.lines import PageLines, TextLine

_EDGE: Final = 0.09  # of the page height, at top and bottom
_LEAST_PAGES: Final = 3
_SHARE: Final = 0.3  # of the pages that have text
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_PAGE_NUMBER = re.compile(
    r"^[-–—(\s]*(?:page|pg\.?|p\.)?\s*(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?[-–—)\s]*$", re.I
)


def split_furniture(
    pages: Sequence[PageLines], grids: Sequence[Sequence[Grid]]
) -> list[tuple[list[TextLine], list[TextLine], list[TextLine]]]:
    """For each page its lines as (header, body, footer). A page number alone at the edge is furniture from the first page on.

    grids: the ruled tables of each page; the column names of a table that goes on over pages come back, too, but belong to it.
    """
    counts: Counter[tuple[bool, str]] = Counter()
    at_edges = [_at_edges(page, tables) for page, tables in zip(pages, grids, strict=True)]
    for found in at_edges:
        counts.update({(at_top, _shape(line)) for line, at_top in found})
    with_text = sum(1 for page in pages if page.lines)
    least = max(_LEAST_PAGES, _SHARE * with_text)
    result: list[tuple[list[TextLine], list[TextLine], list[TextLine]]] = []
    for page, found in zip(pages, at_edges, strict=True):
        edges = {id(line): at_top for line, at_top in found}
        header: list[TextLine] = []
        body: list[TextLine] = []
        footer: list[TextLine] = []
        for line in page.lines:
            at_top = edges.get(id(line))
            repeated = at_top is not None and counts[at_top, _shape(line)] >= least
            if at_top is None or not (repeated or (with_text > 1 and _PAGE_NUMBER.match(line.text))):
                body.append(line)
            else:
                (header if at_top else footer).append(line)
        result.append((header, body, footer))
    return result


def _at_edges(page: PageLines, grids: Sequence[Grid]) -> list[tuple[TextLine, bool]]:
    edge = _EDGE * page.height
    return [
        (line, line.box.bottom <= edge)
        for line in page.lines
        if (line.box.bottom <= edge or line.box.top >= page.height - edge)
        and not any(grid.holds(line) for grid in grids)
    ]


def _shape(line: TextLine) -> str:
    return _DIGITS.sub("#", line.text.lower()).strip()
