"""Pages of lines -> unstructured elements in reading order.

Belongs here: putting furniture, tables, columns and paragraphs together. Does not: the rules of any of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from tvdb_pipeline.parsing.layout.aligned import AlignedTable, split_tables
from tvdb_pipeline.parsing.layout.columns import blocks_in_order
from tvdb_pipeline.parsing.layout.furniture import split_furniture
from tvdb_pipeline.parsing.layout.grid import Grid, find_grids
from tvdb_pipeline.parsing.layout.mirror import is_from_the_right, mirrored, mirrored_box
from tvdb_pipeline.parsing.layout.paragraphs import Body, Paragraph, joined_rows, paragraphs
from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.tables import rows_to_html, rows_to_text

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_MAX_DEPTH = 4


def structure(pages: Sequence[PageLines]) -> list[Element]:
    """All elements of a document, page by page."""
    turned = [is_from_the_right(page) for page in pages]
    pages = [mirrored(page) if over else page for page, over in zip(pages, turned, strict=True)]
    usual = _usual(pages)
    found: list[Element] = []
    titles: list[tuple[Element, tuple[float, bool]]] = []
    grids = [find_grids(page.rules, page.lines) for page in pages]
    before: Paragraph | None = None
    furniture = split_furniture(pages, grids)
    for page, over, tables, (header, body, footer) in zip(pages, turned, grids, furniture, strict=True):
        found.extend(_element("Header", line.text, line.box, page, over) for line in header)
        for item in _body([table for table in tables if table.parted], body, usual):
            if isinstance(item, Paragraph):
                element = _element(item.kind, item.text, item.box, page, over)
                if item.opens and before is not None and before.goes_on_in(item):
                    element.metadata.is_continuation = True
                if item.kind == "Title":
                    titles.append((element, (round(item.size), item.bold)))
            else:
                rows, box = item
                element = _element("Table", rows_to_text(rows), box, page, over)
                element.metadata.text_as_html = rows_to_html(rows)
            before = item if isinstance(item, Paragraph) else None
            found.append(element)
        found.extend(_element("Footer", line.text, line.box, page, over) for line in footer)
    _set_depths(titles)
    return found


def _body(
    grids: Sequence[Grid], lines: list[TextLine], usual: Body
) -> Iterator[Paragraph | tuple[list[list[str]], Box]]:
    """Paragraphs and tables from the top down: what stands between two tables is ordered by itself."""
    held: dict[int, list[TextLine]] = {index: [] for index in range(len(grids))}
    free: list[list[TextLine]] = [[] for _ in range(len(grids) + 1)]
    for line in lines:
        inside = next((index for index, grid in enumerate(grids) if grid.holds(line)), None)
        if inside is not None:
            held[inside].append(line)
        else:
            free[sum(1 for grid in grids if _is_below(line, grid))].append(line)
    for index, between in enumerate(free):
        for block in blocks_in_order(between):
            first = None
            for piece in split_tables(block):
                first = first or piece
                if isinstance(piece, AlignedTable):
                    yield piece.cells, piece.box
                else:
                    for number, paragraph in enumerate(paragraphs(piece, usual)):
                        paragraph.opens = number == 0 and piece is first
                        yield paragraph
        if index < len(grids) and held[index]:
            yield grids[index].cells(held[index]), grids[index].box


def _is_below(line: TextLine, grid: Grid) -> bool:
    return line.box.top >= grid.rows[0]


def _usual(pages: Sequence[PageLines]) -> Body:
    """The line height most characters have, and the least of the common steps from a line to the next."""
    sizes: Counter[float] = Counter()
    steps: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[round(line.size * 4) / 4] += len(line.text)
        for line, below in pairwise(joined_rows(page.lines)):
            step = (below.box.bottom - line.box.bottom) / max(line.size, 1.0)
            if 0.8 <= step <= 2.2 and abs(line.size - below.size) < 0.05 * line.size:
                steps[round(step * 20) / 20] += 1
    size = sizes.most_common(1)[0][0] if sizes else 12.0
    frequent = [step for step, count in steps.items() if count >= 0.3 * max(steps.values())]
    return Body(size, min(frequent, default=1.2))


def _set_depths(titles: Sequence[tuple[Element, tuple[float, bool]]]) -> None:
    """Larger titles stand above smaller ones, bold above regular of the same size."""
    ranks = sorted({rank for _, rank in titles}, reverse=True)
    for element, rank in titles:
        element.metadata.category_depth = min(ranks.index(rank), _MAX_DEPTH)


def _element(category: str, text: str, box: Box, page: PageLines, over: bool) -> Element:
    from unstructured.documents.coordinates import PixelSpace
    from unstructured.documents.elements import (
        CoordinatesMetadata,
        ElementMetadata,
        Footer,
        Header,
        ListItem,
        NarrativeText,
        Table,
        Title,
    )

    kinds = {"Header": Header, "Footer": Footer, "Title": Title, "ListItem": ListItem, "Table": Table}
    box = mirrored_box(box, page.width) if over else box
    corners = ((box.left, box.top), (box.left, box.bottom), (box.right, box.bottom), (box.right, box.top))
    points = tuple((round(x, 1), round(y, 1)) for x, y in corners)
    space = PixelSpace(width=round(page.width), height=round(page.height))
    metadata = ElementMetadata(
        page_number=page.report.number, coordinates=CoordinatesMetadata(points=points, system=space)
    )
    return kinds.get(category, NarrativeText)(text=text, metadata=metadata)
