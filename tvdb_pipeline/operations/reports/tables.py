"""Figures as Markdown tables.

Belongs here: rows, cells and headings. Does not: which figures, or where they stand in a report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tvdb_pipeline.operations.reports.records import number, shown

Rows = Sequence[Mapping[str, Any]]
LEVEL = 4
"""Of a heading below that of a record."""
_MOST_ROWS = 60
"""A longer list is a series for a plot, not a table."""
_UNITS = {"mb": "MB", "kb": "KB", "gb": "GB", "usd": "USD", "rss": "RSS", "ui": "UI", "ocr": "OCR", "cpu": "CPU"}


def table(rows: Rows) -> str:
    """Rows as a Markdown table. Its columns are the keys, in the order they first come up; an absent value is an empty cell."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    numeric = [all(number(row.get(key)) is not None for row in rows if row.get(key) is not None) for key in columns]
    lines = [[heading(key) for key in columns], ["---:" if is_number else "---" for is_number in numeric]]
    lines += [[cell(row.get(key)) for key in columns] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def tables(figures: Any, level: int = LEVEL) -> Iterator[str]:
    """Any figures as Markdown: what is single in one table, lists and mappings of mappings in one each, under their name."""
    if not isinstance(figures, dict):
        figures = {"rows": figures} if isinstance(figures, list) else {"figure": figures}
    single = [{"figure": heading(key), "value": value} for key, value in figures.items() if is_single(value)]
    if single:
        yield table(single)
    # What has no heading of its own must not stand below that of another.
    for key in sorted(figures, key="rows".__ne__):
        value = figures[key]
        if is_single(value) or not value:
            continue
        if key != "rows":
            yield f"{'#' * level} {heading(key)[:1].upper()}{heading(key)[1:]}"
        if isinstance(value, list):
            yield _listed(value)
        elif _is_flat(value) or not all(isinstance(inner, dict) and _is_flat(inner) for inner in value.values()):
            yield from tables(value, level + 1)
        else:
            yield table([{"": heading(name)} | inner for name, inner in value.items()])


def is_single(value: Any) -> bool:
    """Whether it fits into one cell."""
    if isinstance(value, dict):
        return number(value) is not None
    return not isinstance(value, list) or not any(isinstance(inner, dict | list) for inner in value)


def heading(key: str) -> str:
    """A key as words."""
    return " ".join(_UNITS.get(word, word) for word in str(key).split("_"))


def cell(value: Any) -> str:
    """A value as one cell: a spread as its median with the least and the most, nothing that ends the cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(cell, value)) or "none"
    median = number(value)
    if median is None:
        return str(value).replace("|", "\\|").replace("\n", " ")
    if not isinstance(value, dict) or value.get("repeats", 1) < 2:
        return shown(median)
    return f"{shown(median)} ({shown(value['least'])} to {shown(value['most'])}, {value['repeats']})"


def _listed(rows: Sequence[Any]) -> str:
    """A list as a table, but for what does not fit into cells."""
    if len(rows) > _MOST_ROWS:
        return f"{len(rows)} rows, in the record."
    named = [row if isinstance(row, dict) else {"value": row} for row in rows]
    deep = sorted({heading(key) for row in named for key, value in row.items() if not is_single(value)})
    shallow = table([{key: value for key, value in row.items() if is_single(value)} for row in named])
    return f"{shallow}\n\nMore in the record: {', '.join(deep)}." if deep else shallow


def _is_flat(mapping: Mapping[str, Any]) -> bool:
    return all(map(is_single, mapping.values()))
