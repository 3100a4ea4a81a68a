"""Scores the parser, prints the tables and keeps their sums: `python -m benchmarks.parsing_quality [--engine NAME] [--verbose]`.

Belongs here: which documents go in, and the order of the tables. Does not: measures or truths.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks import recording
from benchmarks.parsing_quality import truths
from benchmarks.parsing_quality.measures import cells_found, holds_value, plain_words, score
from benchmarks.parsing_quality.readings import Reading, Task, read_all
from benchmarks.parsing_quality.renditions import RENDITIONS, drawn, saved
from benchmarks.parsing_quality.report import Row, show
from benchmarks.parsing_quality.truths import EXAMPLES, PageTruth


def main() -> None:
    """Print a table for each set of documents, and for each engine where several are asked for; keep the sums of the former."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parsing_quality")
    engines = ("pdfium", "fast", "ocr_only", "hi_res")
    parser.add_argument("--engine", action="append", choices=engines, help="score this engine on the PDFs (repeatable)")
    parser.add_argument("--verbose", action="store_true", help="name missed cells and values (of synthetic documents)")
    arguments = parser.parse_args()
    if arguments.engine:
        for engine in arguments.engine:
            show(f"data/examples, PDFs, engine {engine}", _examples(engine, arguments.verbose, only=".pdf"))
        return
    titled = {
        "data/examples": lambda: _examples("pdfium", arguments.verbose),
        "Pages of data/examples drawn again as scans, 200 dpi": _renditions,
    }
    folder = truths.corpus()
    if folder is not None:
        titled |= {
            "corpus/scans": lambda: _files(list(truths.scans(folder))),
            "corpus/office": lambda: _files(list(truths.office(folder))),
        }
    figures: dict[str, Any] = {"sets": {title: show(title, rows()) for title, rows in titled.items()}}
    if folder is None:
        print("No corpus beside the checkout (name one in TVDB_CORPUS): its tables are left out.", file=sys.stderr)
    else:
        figures |= _show_records(folder, arguments.verbose)
    recording.keep("parsing-quality", "make evaluate", figures)


def _examples(engine: str, verbose: bool, only: str = "") -> list[Row]:
    pages: dict[str, list[PageTruth]] = {}
    for page in truths.example_pages():
        if page.document.endswith(only):
            pages.setdefault(page.document, []).append(page)
    tasks = [Task(name, name, (EXAMPLES / name).read_bytes(), engine) for name in pages]  # pyright: ignore[reportArgumentType]
    rows: dict[tuple[str, str], Row] = {}
    for reading in read_all(tasks):
        for page in pages[reading.name]:
            row = rows.setdefault((reading.name, page.kind), Row(reading.name, page.kind))
            _add(row, page, reading, verbose)
            row.note = reading.refusal or ""
    return list(rows.values())


def _add(row: Row, page: PageTruth, reading: Reading, verbose: bool) -> None:
    row.pages += 1
    row.routed += reading.routes.get(page.page) == truths.ROUTES[page.kind]
    row.score += score(page.text, reading.text.get(page.page, ""))
    for table in page.tables:
        right, cells = cells_found(table, reading.tables.get(page.page, []))
        row.cells_right, row.cells = row.cells_right + right, row.cells + cells
        if verbose and right < cells:
            print(f"  {row.name} page {page.page}: {right} of {cells} cells of the table {table[0]}", file=sys.stderr)


def _renditions() -> list[Row]:
    known = {(page.document, page.page): page for page in truths.example_pages()}
    rows: list[Row] = []
    tasks: list[Task] = []
    for document, number in truths.RENDERED:
        flat = drawn((EXAMPLES / document).read_bytes(), number)
        tasks += [Task(f"{way}|{document}|{number}", "page.png", saved(draw(flat))) for way, draw in RENDITIONS.items()]
    found = {way: Row(way, "scan") for way in RENDITIONS}
    for reading in read_all(tasks):
        way, document, number = reading.name.split("|")
        page, row = known[document, int(number)], found[way]
        row.pages += 1
        row.routed += reading.routes.get(1) == "ocr"
        row.score += score(page.text, reading.text.get(1, ""))
        row.confidences.append(reading.confidences.get(1, 0.0))
        for table in page.tables:
            right, cells = cells_found(table, reading.tables.get(1, []))
            row.cells_right, row.cells = row.cells_right + right, row.cells + cells
    rows += found.values()
    return rows


def _files(known: Sequence[truths.FileTruth]) -> list[Row]:
    tasks = [Task(entry.file.name, entry.file.name, entry.file.read_bytes()) for entry in known]
    rows: list[Row] = []
    for entry, reading in zip(known, read_all(tasks), strict=True):
        row = Row(reading.name, "", pages=len(reading.routes), note=reading.refusal or "; ".join(reading.notes)[:40])
        if reading.refusal is None:
            row.score = score(entry.text, "\n".join(reading.text.values()))
        rows.append(row)
    return rows


def _show_records(folder: truths.Path, verbose: bool) -> dict[str, int]:
    """Print how many values of the records stand in the chunks; the sums."""
    known = list(truths.records(folder))
    counts = dict(truths.page_counts(folder))
    tasks = [Task(file.name, file.name, file.read_bytes()) for file in counts]
    readings = {reading.name: reading for reading in read_all(tasks)}
    wrong = [file.name for file, pages in counts.items() if len(readings[file.name].routes) != pages]
    print("\n## corpus/insurance: values of the records found in the chunks of their document\n")
    print(f"Page counts wrong: {wrong or 'none'}\n")
    print("| document | values | found | % |\n|---|---:|---:|---:|")
    all_values = all_found = 0
    for file, values in known:
        text = plain_words(readings[file.name].chunks)
        missed = [value for value in values if not holds_value(value, text)]
        found = len(values) - len(missed)
        all_values, all_found = all_values + len(values), all_found + found
        print(f"| {file.name} | {len(values)} | {found} | {100 * found / len(values):.2f} |")
        if verbose and missed:
            print(f"  {file.name}: {missed[:40]}", file=sys.stderr)
    print(f"| all | {all_values} | {all_found} | {100 * all_found / all_values:.2f} |")
    return {"values_of_records": all_values, "values_found": all_found, "page_counts_wrong": len(wrong)}


if __name__ == "__main__":
    main()
