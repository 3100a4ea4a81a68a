"""What every adapter of a parser has in common: its command line, a clock for each file, and the line it ends with.

Belongs here: these, on the standard library alone, because each parser's own environment imports it. Does not: a parser.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

_IMPORTED = time.time()
# Parsers that spread over all cores are held to one, as the others are; so this module is to be imported before them.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

Read = Callable[[Path], tuple[int, int]]
"""Reads a file whole: (pages, characters of text)."""


def read_all(parser: str, package: str, structure: str, read: Read) -> None:
    """Read the files of the command line one after the other, in this process, and print the line.

    To be called when the parser is imported. package: the one whose version counts; structure: what the parser yields. A
    file it cannot read counts as 0 pages, with the seconds that took. The smallest is read once before, because parsers
    load some of themselves with the first file; that is start-up.
    """
    options = argparse.ArgumentParser()
    options.add_argument("--documents", type=Path, required=True, help="the folder whose PDFs are read")
    options.add_argument("--only", help="the name of one file in it")
    given = options.parse_args()
    paths = sorted(path for path in given.documents.glob(given.only or "*.pdf") if path.is_file())
    for path in sorted(paths, key=lambda path: path.stat().st_size)[:1]:
        _read(read, path)
    start_up = time.time() - float(os.environ.get("TVDB_BENCH_STARTED", _IMPORTED))
    files: dict[str, dict[str, float]] = {}
    for path in paths:
        began = time.monotonic()
        pages, characters = _read(read, path)
        files[path.name] = {"seconds": time.monotonic() - began, "pages": pages, "characters": characters}
    seconds = sum(file["seconds"] for file in files.values())
    for file in files.values():
        file["seconds"] = round(file["seconds"], 4)
    figures: dict[str, object] = {
        "parser": parser,
        "version": f"{package} {version(package)}",
        "start_up_seconds": round(start_up, 3),
        "seconds": round(seconds, 3),
        "files": files,
        "structure": structure,
    }
    print(json.dumps(figures), flush=True)


def _read(read: Read, path: Path) -> tuple[int, int]:
    try:
        return read(path)
    except Exception:
        return 0, 0
