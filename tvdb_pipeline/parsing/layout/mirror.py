"""Pages written from right to left, turned over like a sheet held against the light.

Belongs here: telling such pages, and turning them and boxes over. Does not: any judgement about layout: columns, table cells and
the pieces of a row come in the order they are read in, by the same rules as on any other page.
"""

from __future__ import annotations

from dataclasses import replace

from tvdb_pipeline.parsing.lines import FROM_THE_RIGHT, Box, PageLines


def is_from_the_right(page: PageLines) -> bool:
    """Whether most lines that hold letters are written from right to left."""
    lines = sum(1 for line in page.lines if FROM_THE_RIGHT.search(line.text))
    if not lines:
        return False
    others = sum(1 for line in page.lines if any(map(str.isalpha, line.text)) and not FROM_THE_RIGHT.search(line.text))
    return lines > others


def mirrored(page: PageLines) -> PageLines:
    """The page with left and right exchanged in every place."""
    lines = [replace(line, box=mirrored_box(line.box, page.width)) for line in page.lines]
    return replace(page, lines=lines, rules=[mirrored_box(rule, page.width) for rule in page.rules])


def mirrored_box(box: Box, width: float) -> Box:
    """A box of a page of this width with left and right exchanged."""
    return Box(width - box.right, box.top, width - box.left, box.bottom)
