"""Tables kept as files: CSV and Excel.

Belongs here: the entry points for both, and CSV's delimiters. Does not: Excel's cells (`workbook`) or finding the
tables on a grid of cells (`grid`).

CSV is read with the standard library: pandas drops the surplus cells of a ragged row or refuses the file, and nothing
is left of its types once every cell stays as written.
"""

from __future__ import annotations

import csv
import io
from collections import Counter

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.assemble import Picture, assemble
from tvdb_pipeline.parsing.containers import corrupt
from tvdb_pipeline.parsing.grid import grid_elements
from tvdb_pipeline.parsing.language_model import prepare
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.plain_text import decode
from tvdb_pipeline.parsing.sheet_size import check_rectangles
from tvdb_pipeline.parsing.workbook import read_workbook

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 200
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def parse_csv(data: bytes) -> ParsedDocument:
    """A CSV file, every cell as written. Whitespace only gives no elements and one blank page. DocumentRefused: `too_large`."""
    rows = csv_rows(decode(data))
    check_rectangles(len(row) for row in rows)
    prepare()
    return assemble("text/csv", grid_elements(rows))


def parse_xlsx(data: bytes) -> ParsedDocument:
    """An Excel workbook; a page for each visible sheet."""
    try:
        book = read_workbook(data)
        prepare()
        elements = [element for number, sheet in enumerate(book.sheets, start=1) for element in sheet.elements(number)]
        drawings = [(number, sheet.drawings) for number, sheet in enumerate(book.sheets, start=1)]
        pictures = [Picture(number, one.large_picture) for number, one in drawings if one.has_picture]
        document = assemble(_XLSX, elements, page_count=len(book.sheets), pictures=pictures, page_word="sheet")
    except (TvdbError, MemoryError):
        raise
    except Exception:
        # Damaged files make the libraries fail in more ways than can be listed; what they say may quote the file.
        raise corrupt("xlsx") from None
    document.missing += book.missing
    return document


def csv_rows(text: str) -> list[list[str]]:
    """The rows of a CSV text, whatever its delimiter; blank lines give empty rows."""
    lines = text.splitlines()
    if lines and lines[0][:4].lower() == "sep=" and len(lines[0].strip('"')) <= 5:
        # Excel's own first line naming the delimiter; not part of the table.
        return _read(text.split("\n", 1)[1] if "\n" in text else "", lines[0].strip('"')[4:5] or ",")
    return _read(text, _delimiter("\n".join(lines[:_SAMPLE_LINES])))


def _read(text: str, delimiter: str) -> list[list[str]]:
    # The library's own bound on a cell is for streams; a file in memory needs none. It is one setting for the process.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise DocumentRefused("corrupt", "The CSV file cannot be taken apart into cells; save it again.") from None


def _delimiter(sample: str) -> str:
    return max(_DELIMITERS, key=lambda candidate: _agreement(sample, candidate))


def _agreement(sample: str, delimiter: str) -> tuple[float, int]:
    """How many rows agree on having the same number of cells, more than one; ties go to more cells."""
    try:
        widths = Counter(len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row)
    except csv.Error:
        return (0.0, 0)
    total = sum(widths.values())
    shared = [(count / total, width) for width, count in widths.items() if width > 1]
    return max(shared, default=(0.0, 0))
