"""The tables as printed: Markdown, so that they can stand in the documentation as they are; and their sums as they are kept.

Belongs here: rows and their figures. Does not: how they come about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.parsing_quality.measures import Score

_HEAD = "| document | kind | pages | routed right | words found % | in order % | CER % | WER % | cells right % | cells | note |"


@dataclass(slots=True)
class Row:
    """One line of a table: sums over the pages of a document, or of one kind of page."""

    name: str
    kind: str
    pages: int = 0
    routed: int = 0
    score: Score = field(default_factory=Score)
    cells: int = 0
    cells_right: int = 0
    confidences: list[float] = field(default_factory=list[float])
    note: str = ""


def show(title: str, rows: Sequence[Row]) -> list[dict[str, int | str]]:
    """Print the rows with a sum for each kind; the sums as mappings of counts."""
    sums = [
        _sum(f"all {kind}".strip(), kind, [row for row in rows if row.kind == kind])
        for kind in dict.fromkeys(row.kind for row in rows)
    ]
    print(f"\n## {title}\n\n{_HEAD}\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    for row in [*rows, *sums]:
        print(_line(row))
    return [_counts(of_kind, sum(row.kind == of_kind.kind for row in rows)) for of_kind in sums]


def _counts(row: Row, documents: int) -> dict[str, int | str]:
    counted: dict[str, int | str] = {"documents": documents, "kind": row.kind, "pages": row.pages}
    if row.kind:
        counted["routed"] = row.routed
    return counted | asdict(row.score) | {"cells": row.cells, "cells_right": row.cells_right}


def _sum(name: str, kind: str, rows: Sequence[Row]) -> Row:
    total = Row(name, kind)
    for row in rows:
        total.pages += row.pages
        total.routed += row.routed
        total.score += row.score
        total.cells += row.cells
        total.cells_right += row.cells_right
    return total


def _line(row: Row) -> str:
    known = row.score
    found = _share(known.found, known.words)
    order = _share(known.in_order, known.found)
    errors = (_share(known.character_errors, known.characters), _share(known.word_errors, known.words))
    confidence = f"OCR confidence {min(row.confidences):.2f}-{max(row.confidences):.2f}" if row.confidences else ""
    cells = (_share(row.cells_right, row.cells), str(row.cells or ""))
    figures = (row.kind, str(row.pages), str(row.routed or ""), found, order, *errors, *cells, row.note or confidence)
    return f"| {row.name} | {' | '.join(figures)} |"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else ""
