"""Tables as text that says which value belongs to which row and column, and as HTML.

Belongs here: rows of cells to text and HTML and back, and telling a header row from data. Does not: finding tables in a
document or making elements of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from tvdb_pipeline.parsing.html_tables import header_rows_in_html, rows_from_html

__all__ = ["html_table_text", "rows_from_html", "rows_to_html", "rows_to_text"]

Rows = Sequence[Sequence[str]]

_LONGEST_HEADER = 100
_YEAR = re.compile(r"(19|20)\d\d")


def rows_to_text(rows: Rows, header_rows: int | None = None) -> str:
    """One line for each body row: `Header1: v1; Header2: v2`, or `v1 | v2` where no row is plausible as the header.

    header_rows: how many rows at the top are known to be the header; None to judge by their cells. Empty cells are left
    out. A row with one cell only (a title above the table, a section name in it) stands on a line of its own.
    """
    grid = tidy(rows)
    titles = 0
    while titles < len(grid) - 1 and _is_banner(grid[titles]):
        titles += 1
    body = grid[titles:]
    count = count_header_rows(body) if header_rows is None else max(0, header_rows - titles)
    if count >= len(body):
        count = 0
    headers = merged_header(body[:count])
    lines = [row_line(row, []) for row in grid[:titles]]
    if any(name and not any(row[column] for row in body[count:]) for column, name in enumerate(headers)):
        # A column to be filled in by hand: no cell would carry its name.
        lines.append(" | ".join(name for name in headers if name))
    lines += [row_line(row, headers) for row in body[count:]]
    return "\n".join(line for line in lines if line)


def row_line(row: Sequence[str], headers: Sequence[str]) -> str:
    """One row of a table as text; `headers` empty where none are known."""
    filled = [(index, cell) for index, cell in enumerate(row) if cell]
    if not headers:
        # Empty cells stay, so that cells of one column keep the same place in every line.
        return filled[0][1] if _is_banner(row) else " | ".join(row).rstrip(" |")
    if len(row) > 2 and [index for index, _ in filled] == [0]:
        return filled[0][1]
    named = ((headers[index].rstrip(" :"), cell) for index, cell in filled)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named)


def rows_to_html(rows: Rows, header_rows: int = 0) -> str:
    """A plain `<table>`, the first `header_rows` rows with `<th>` cells."""
    lines: list[str] = []
    for index, row in enumerate(rows):
        tag = "th" if index < header_rows else "td"
        lines.append("<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def html_table_text(table: str) -> str:
    """The text form (see `rows_to_text`) of a table in HTML, with the header its markup names."""
    return rows_to_text(rows_from_html(table), header_rows_in_html(table))


def tidy(rows: Rows) -> list[list[str]]:
    """Rows of equal length with single spaces, without rows and columns that are empty throughout."""
    width = max((len(row) for row in rows), default=0)
    grid = [[" ".join(cell.split()) for cell in row] + [""] * (width - len(row)) for row in rows]
    grid = [row for row in grid if any(row)]
    used = [any(row[column] for row in grid) for column in range(width)]
    return [[cell for cell, keep in zip(row, used, strict=True) if keep] for row in grid]


def count_header_rows(rows: Rows) -> int:
    """How many rows at the top of a tidy grid are plausible as its header: 0, 1 or 2."""
    if len(rows) < 2:
        return 0
    if _is_header(rows[0], rows[1:]):
        return 1
    spread = len(rows) > 2 and len(rows[0]) > 2 and len({cell for cell in rows[0] if cell}) > 1
    if spread and all(_is_label(cell) for cell in rows[1][1:]) and not any(is_data(cell) for cell in rows[0]):
        # A first row of group names ("Cover", "", "Premium", "") over a row of column names.
        return 2 if _is_header(merged_header(rows[:2]), rows[2:]) else 0
    return 0


def merged_header(rows: Rows) -> list[str]:
    """One name for each column out of the header rows above it."""
    if not rows:
        return []
    return [" ".join(dict.fromkeys(cell for cell in column if cell)) for column in zip(*rows, strict=True)]


def is_data(cell: str) -> bool:
    """Whether a cell holds a number, an amount or a date rather than words."""
    return any(character.isdigit() for character in cell) and not any(character.isalpha() for character in cell)


def _is_label(cell: str) -> bool:
    return any(character.isalpha() for character in cell) and len(cell) <= _LONGEST_HEADER


def _is_banner(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell]
    # A cell spanning the whole width is repeated by some readers; three equal words are no row of data.
    repeated = len(row) > 1 and len(filled) == len(row) and len(set(filled)) == 1 and not is_data(filled[0])
    return len(row) > 1 and (len(filled) == 1 or repeated)


def _is_header(cells: Sequence[str], body: Rows) -> bool:
    filled = [cell for cell in cells if cell]
    if len({cell.casefold() for cell in filled}) < len(filled):
        return False
    if not all(cells[1:]) or not (cells[0] or len(cells) > 2):
        return False
    if not all(_is_label(cell) or _is_year_heading(index, cells, body) for index, cell in enumerate(cells) if cell):
        return False
    if len(cells) == 1:
        # A single column of sentences has no header; a list of short entries may.
        return len(body) > 1 and all(len(row[0]) <= _LONGEST_HEADER for row in body)
    return len(cells) != 2 or not _is_form([cells, *body])


def _is_year_heading(index: int, cells: Sequence[str], body: Rows) -> bool:
    if index == 0 or not _YEAR.fullmatch(cells[index]) or is_data(cells[0]):
        return False
    return not all(_YEAR.fullmatch(row[index]) for row in body if row[index])


def _is_form(rows: Rows) -> bool:
    """Whether two columns are names and values (`Insured | J. Smith`) rather than a header with data below."""
    if any(row[0].endswith(":") for row in rows) or any(character.isdigit() for character in rows[0][1]):
        return True
    values = [row[1] for row in rows[1:] if row[1]]
    with_digits = sum(any(character.isdigit() for character in value) for value in values)
    # A real column is all figures or all words; the values of a form are a mixture.
    return len(values) > 2 and 0.15 < with_digits / len(values) < 0.85
