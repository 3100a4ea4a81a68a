"""Rows of cells out of the HTML of one table.

Belongs here: spans, header cells and the text of a cell. Does not: what the rows mean (`tables`).
"""

from __future__ import annotations

import re
from typing import Any

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.xml_tree import parse_page

_WIDEST_SPAN = 100
_MOST_CELLS = 1_000_000
_UNSEEN = frozenset({"script", "style", "noscript", "template", "svg"})
_INLINE = re.compile(
    "a|abbr|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|time|tt|u"
    "|var|wbr"
)


def rows_from_html(table: str) -> list[list[str]]:
    """The cells of the first table in `table`, one list a row.

    A cell spanning rows is repeated in each, a header cell spanning columns over each of them; a body cell spanning
    columns stands once, followed by empty cells. A table inside a cell becomes text of that cell. Raises DocumentRefused
    (`too_large`): a few cells can be said to span all others.
    """
    root = _first_table(table)
    if root is None:
        return []
    grid: list[list[str]] = []
    carried: dict[int, tuple[str, int]] = {}
    cells = 0
    for row in _row_nodes(root):
        line = _row_cells(row, carried, repeat=_is_header_row(row) or not grid)
        cells += len(line)
        if cells > _MOST_CELLS:
            raise DocumentRefused("too_large", f"A table has over {_MOST_CELLS} cells; split it.")
        if not grid or not _is_label_only(row):
            grid.append(line)
    return grid


def header_rows_in_html(table: str) -> int | None:
    """How many rows at the top are marked as the header; 0 where only row labels are marked; None where nothing is."""
    root = _first_table(table)
    rows = [] if root is None else _row_nodes(root)
    count = 0
    while count < len(rows) and _is_header_row(rows[count]) and not (count and _is_label_only(rows[count])):
        count += 1
    if count:
        return count
    return 0 if any(cell.tag == "th" for row in rows for cell in row) else None


def node_text(node: Any) -> str:
    """What a reader sees of an HTML node, on one line: words are parted where the page parts them and nowhere else."""
    return " ".join("".join(_pieces(node)).split())


def _pieces(node: Any) -> list[str]:
    if not isinstance(node.tag, str) or node.tag in _UNSEEN:
        return []
    gap = "" if _INLINE.fullmatch(node.tag) else " "
    pieces = [gap, node.text or ""]
    for child in node:
        pieces += _pieces(child)
        pieces.append(child.tail or "")
    pieces.append(gap)
    return pieces


def _first_table(table: str) -> Any | None:
    root = parse_page(table)
    return None if root is None else next(root.iter("table"), None)


def _row_nodes(table: Any) -> list[Any]:
    return table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")


def _cells(row: Any) -> list[Any]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _is_header_row(row: Any) -> bool:
    cells = _cells(row)
    if not cells:
        return False
    if row.getparent().tag == "thead":
        return True
    return all(cell.tag == "th" or not node_text(cell) for cell in cells) and any(cell.tag == "th" for cell in cells)


def _is_label_only(row: Any) -> bool:
    # A label for the rows below may be written as a row of its own, which shows no line on the page.
    cells = _cells(row)
    return len(cells) == 1 and _span(cells[0], "rowspan", 10_000) > 1


def _row_cells(row: Any, carried: dict[int, tuple[str, int]], repeat: bool) -> list[str]:
    """The cells of one row; `carried` holds column -> (text, rows left) for cells reaching down from rows above."""
    line: list[str] = []
    onward: dict[int, tuple[str, int]] = {}

    def take_carried() -> None:
        while len(line) in carried:
            put(*carried.pop(len(line)))

    def put(text: str, rows: int) -> None:
        if rows > 1:
            onward[len(line)] = (text, rows - 1)
        line.append(text)

    for cell in _cells(row):
        take_carried()
        text, rows = node_text(cell), _span(cell, "rowspan", 10_000)
        for offset in range(_span(cell, "colspan", _WIDEST_SPAN)):
            carried.pop(len(line), None)
            put(text if offset == 0 or repeat else "", rows)
    while carried:
        take_carried()
        if carried:
            line.append("")
    carried.update(onward)
    return line


def _span(cell: Any, name: str, most: int) -> int:
    value = (cell.get(name) or "1").strip()
    return min(int(value), most) if value.isascii() and value.isdigit() and int(value) > 0 else 1
