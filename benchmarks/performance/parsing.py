"""Our parser against bare PDFium on PDFs with a text layer: `python -m benchmarks.performance.parsing [--repeats N] [FILE ...]`.

Belongs here: both readings in one process on one core, and the start of a parsing process apart. Does not: other parsers, OCR.

A pair is one file read by both, one after the other, so that both meet the machine in the same state; who goes first changes with
every repeat. Ours is what a parsing process calls (`parsing.parse.parse`): bytes to elements. Bare PDFium gives the characters of
each page in the order of the file, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from benchmarks.grounds import insurance
from benchmarks.recording import spread
from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.parse import ParseOptions, parse
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pool import ParseJob, ParserPool

_OPTIONS = ParseOptions()
_TIMEOUT_SECONDS, _MEMORY_MB = 900.0, 4096


@dataclass(slots=True)
class _File:
    """One document in memory, what our parser found in it, and the seconds of each repeat."""

    data: bytes
    parsed: ParsedDocument
    ours: list[float] = field(default_factory=list[float])
    bare: list[float] = field(default_factory=list[float])

    @property
    def pages(self) -> int:
        return len(self.parsed.pages)


def measure(documents: Sequence[Path], repeats: int) -> dict[str, Any]:
    """Both readers over all documents, after one reading of each that is not timed.

    `ours` and `pdfium`: pages a second on one core; `ratio`: ours to PDFium's in the same repeat, 1 is as fast; `files`: the same
    for each file, numbered as given, with its elements by kind and its tables; `left_out`: documents without a text layer on
    each page (they would time OCR), or refused. ValueError where none is left.
    """
    with _one_core():
        files = [file for path in documents if (file := _warmed(path.read_bytes())) is not None]
        if not files:
            raise ValueError("none of the documents has a text layer on every page")
        for repeat in range(repeats):
            for file in files:
                _read_both(file, ours_first=repeat % 2 == 0)
    pages = sum(file.pages for file in files)
    ours = [pages / sum(file.ours[repeat] for file in files) for repeat in range(repeats)]
    bare = [pages / sum(file.bare[repeat] for file in files) for repeat in range(repeats)]
    return {
        "documents": len(files),
        "left_out": len(documents) - len(files),
        "pages": pages,
        "ours": spread(ours, 1),
        "pdfium": spread(bare, 1),
        "ratio": spread([mine / theirs for mine, theirs in zip(ours, bare, strict=True)]),
        "start_up_seconds": spread([start_up_seconds(min(documents, key=_size)) for _ in range(repeats)]),
        "files": [_described(number, file) for number, file in enumerate(files, 1)],
    }


def bare_text(document: pdfium.PdfDocument, first: int, last: int) -> int:
    """Take the text of pages first..last (from 0, last included); how many characters there were."""
    characters = 0
    for number in range(first, last + 1):
        page = document[number]
        text = page.get_textpage()
        characters += len(text.get_text_range())
        text.close()
        page.close()
    return characters


def start_up_seconds(document: Path) -> float:
    """Seconds by which the first document of a new pool takes longer than the same one again: process, confinement, imports."""
    with ParserPool(1, _OPTIONS, _TIMEOUT_SECONDS, _MEMORY_MB) as pool:
        first, again = (_timed(lambda: list(pool.parse([ParseJob("0" * 64, document, PDF)]))) for _ in range(2))
    return first - again


def _warmed(data: bytes) -> _File | None:
    try:
        parsed = parse(data, PDF, _OPTIONS)
    except DocumentRefused:
        return None
    _read_bare(data)
    readable = all(page.route in ("text", "blank") for page in parsed.pages)
    return _File(data, parsed) if readable else None


def _read_both(file: _File, *, ours_first: bool) -> None:
    if ours_first:
        file.ours.append(_timed(lambda: parse(file.data, PDF, _OPTIONS)))
    file.bare.append(_timed(lambda: _read_bare(file.data)))
    if not ours_first:
        file.ours.append(_timed(lambda: parse(file.data, PDF, _OPTIONS)))


def _read_bare(data: bytes) -> None:
    document = pdfium.PdfDocument(data)
    bare_text(document, 0, len(document) - 1)
    document.close()


def _described(number: int, file: _File) -> dict[str, Any]:
    kinds = Counter(type(element).__name__ for element in file.parsed.elements)
    return {
        "file": number,
        "pages": file.pages,
        "seconds": spread(file.ours),
        "pages_a_second": spread([file.pages / seconds for seconds in file.ours], 1),
        "ratio": spread([bare / ours for ours, bare in zip(file.ours, file.bare, strict=True)]),
        "elements": dict(sorted(kinds.items())),
        "tables": kinds["Table"],
    }


@contextmanager
def _one_core() -> Generator[None]:
    """This process, on one core of those it has."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _size(path: Path) -> int:
    return path.stat().st_size


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure the files named, by default the PDFs the comparisons run on; one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance.parsing")
    parser.add_argument("documents", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(measure(options.documents or insurance(), options.repeats)))


if __name__ == "__main__":
    main()
