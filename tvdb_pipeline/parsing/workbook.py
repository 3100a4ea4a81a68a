"""Excel workbooks to grids of cells as a person sees them.

Belongs here: visible sheets, merged cells, comments, charts and pictures of a workbook. Does not: how one value is
shown (`cell_values`) or the tables on a grid (`grid`).
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tvdb_pipeline.parsing.cell_values import shown
from tvdb_pipeline.parsing.grid import grid_elements
from tvdb_pipeline.parsing.ooxml import Package
from tvdb_pipeline.parsing.sheet_drawings import Drawings, sheet_drawings, without_drawings
from tvdb_pipeline.parsing.sheet_size import MOST_CHARACTERS, check_parts, check_rectangles, too_many_characters
from tvdb_pipeline.parsing.tables import rows_to_html, rows_to_text

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_MERGED = re.compile(rb"(<(?:[^\s<>/:]+:)?mergeCell)(\s[^>]*?)(/?>)")
_AREA = re.compile(rb"""\sref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_ANY_PART = re.compile(r".+")
_NO_RESULT = re.compile(
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_MOST_MERGED_CELLS, _MOST_MERGED_IN_ALL = 20_000, 1_000_000
_UNNAMED = re.compile(r"(sheet|tabelle|feuil|hoja|foglio|blad)\s*\d*", re.IGNORECASE)
_DRAWN_BY_EXCEL = "[Threaded comment]"


@dataclass(slots=True)
class Sheet:
    """One visible sheet; blank rows between its blocks are kept as one empty row."""

    name: str
    rows: list[list[str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    drawings: Drawings = field(default_factory=Drawings)

    def elements(self, page_number: int) -> list[Element]:
        """Everything on the sheet: its name, its cells, and the charts, text boxes and comments over them."""
        from unstructured.documents.elements import ElementMetadata, Table, Text, Title

        found = grid_elements(self.rows)
        for chart in self.drawings.charts:
            found += [Text(chart.title)] if chart.title else []
            if chart.rows:
                markup = rows_to_html(chart.rows, header_rows=1)
                found.append(Table(rows_to_text(chart.rows, 1), metadata=ElementMetadata(text_as_html=markup)))
        found += [Text(text) for text in [*self.drawings.texts, *self.comments]]
        if found and not _UNNAMED.fullmatch(self.name):
            found.insert(0, Title(self.name))
        for element in found:
            element.metadata.page_number, element.metadata.page_name = page_number, self.name
        return found


@dataclass(slots=True)
class Workbook:
    """The visible sheets in order, and what of the file is not among them."""

    sheets: list[Sheet]
    missing: list[str]


def read_workbook(data: bytes) -> Workbook:
    """Read an .xlsx file; library errors come through for the caller to name."""
    import openpyxl

    package = Package(data, "xlsx")
    drawings = sheet_drawings(package)
    without_drawings(package)
    check_parts(package.parts.values())
    # Which part is a sheet is said by relationships, not by its name.
    package.rewrite(_ANY_PART, _Merges().without_huge)
    pages = [content for name, content in package.parts.items() if _SHEET.fullmatch(name)]
    unresolved = sum(len(_NO_RESULT.findall(content)) for content in pages)
    with warnings.catch_warnings():
        # openpyxl warns of every extension it leaves out; none of them holds cells.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(package.to_bytes()), data_only=True, keep_links=False)
    sources: list[Any] = [book[name] for name in book.sheetnames]
    hidden = sum(source.sheet_state != "visible" for source in sources)
    sheets = [_sheet(source, drawings.get(source.title)) for source in sources if source.sheet_state == "visible"]
    missing = [f"{_count(hidden, 'hidden sheet', '')} not read"] if hidden else []
    if unresolved:
        missing.append(f"{_count(unresolved, 'formula', ' without a stored result')} not read")
    return Workbook(sheets, missing)


def _sheet(source: Any, drawings: Drawings | None) -> Sheet:
    sheet = Sheet(source.title, drawings=drawings or Drawings())
    cells: dict[int, dict[int, str]] = {}
    characters = 0
    # The cells the file holds: asking for all rows and columns would make a cell for each place up to the last one.
    for (row, column), cell in getattr(source, "_cells", {}).items():
        text = shown(cell.value, cell.number_format) if cell.value is not None else ""
        if text:
            cells.setdefault(row, {})[column] = text
            characters += len(text)
        if characters > MOST_CHARACTERS:
            raise too_many_characters()
        if cell.comment is not None:
            sheet.comments += _comment(cell)
    for area in source.merged_cells.ranges if cells else ():
        _spread(cells, area)
    sheet.rows = _rows(cells)
    return sheet


def _comment(cell: Any) -> list[str]:
    words, author = cell.comment.text or "", (cell.comment.author or "").strip()
    if words.startswith(_DRAWN_BY_EXCEL):
        # Excel's notice to older programs stands before the words; the author is a number there.
        words, author = words.partition("Comment:")[2], ""
    line = " ".join(words.split())
    return [f"Comment{f' by {author}' if author else ''} on {cell.coordinate}: {line}"] if line else []


def _spread(cells: dict[int, dict[int, str]], area: Any) -> None:
    """Repeat a merged cell where it names more than one row or column."""
    text = cells.get(area.min_row, {}).get(area.min_col, "")
    if not text or area.max_row - area.min_row > 1000:
        return
    for row in range(area.min_row + 1, area.max_row + 1):
        # Only beside other cells: a merged title over empty rows must not become a column.
        if row in cells:
            cells[row].setdefault(area.min_col, text)
    columns = range(area.min_col, area.max_col + 1)
    named = cells.get(area.max_row + 1, {})
    beside = cells[area.min_row].keys() - set(columns)
    if beside and sum(column in named for column in columns) > 1:
        # A group name over several column names; a title over the whole table has nothing beside it.
        for column in columns:
            cells[area.min_row].setdefault(column, text)


def _rows(cells: dict[int, dict[int, str]]) -> list[list[str]]:
    if not cells:
        return []
    first = min(column for row in cells.values() for column in row)
    check_rectangles(_widths(cells, first))
    rows: list[list[str]] = []
    last = min(cells)
    for number in sorted(cells):
        if number > last + 1:
            rows.append([])
        row = cells[number]
        rows.append([row.get(column, "") for column in range(first, max(row) + 1)])
        last = number
    return rows


def _widths(cells: dict[int, dict[int, str]], first: int) -> Iterator[int]:
    """Width of each row from column `first`, with a 0 for the blank rows between two."""
    last = min(cells)
    for number in sorted(cells):
        if number > last + 1:
            yield 0
        yield max(cells[number]) - first + 1
        last = number


class _Merges:
    """The merged areas of a workbook: openpyxl makes an object for every cell of one, and an area may span a whole sheet."""

    def __init__(self) -> None:
        self._left = _MOST_MERGED_IN_ALL

    def without_huge(self, content: bytes) -> bytes:
        """The part with areas that are too large, or not written as Excel writes them, shrunk to one cell."""
        return _MERGED.sub(self._bearable, content) if b"mergeCell" in content else content

    def _bearable(self, match: re.Match[bytes]) -> bytes:
        from openpyxl.utils import column_index_from_string

        area = _AREA.search(match[2])
        if area is not None:
            left, right = (column_index_from_string(area[group].decode()) for group in (1, 3))
            size = (abs(right - left) + 1) * (abs(int(area[4]) - int(area[2])) + 1)
            self._left -= size if size <= _MOST_MERGED_CELLS else 0
            if size <= _MOST_MERGED_CELLS and self._left >= 0:
                return match[0]
        return match[1] + b' ref="A1"' + match[3]


def _count(number: int, noun: str, which: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}{which} {'were' if number > 1 else 'was'}"
