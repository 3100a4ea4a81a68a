"""Real text, cut into as many passages as a table is to hold, and queries that stand in none of them.

Belongs here: reading the text, the windows, what is held out. Does not: vectors.

The text is that of the real documents (`grounds.corpus()`, as PDFium reads it, and data/examples). They hold two million
characters, a hundredth of 250,000 passages: the documentation inside the installed packages is added, so that passages overlap
their neighbours as the clauses of many editions of one policy do, but are not nearly the same.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pypdfium2 as pdfium

from benchmarks.grounds import EXAMPLES, corpus

_PACKAGES = ("numpy", "pandas", "dagster", "openai", "unstructured", "psycopg")
_BLOCK = 400
"""Words; every twentieth block is held out, and queries are cut from those."""
_HELD_OUT = 20
_LENGTHS = (40, 60, 90, 130, 190, 280)
"""Words of a passage: what our chunker makes of prose lies between the first and the last."""
_QUERY_WORDS = (8, 16, 30)
_LEAST_DOCSTRING = 300
DOCUMENT_ROWS = 100


@dataclass(frozen=True, slots=True)
class Texts:
    """Passages in the order of their documents, DOCUMENT_ROWS to each, and the queries."""

    passages: list[str]
    queries: list[str]


def cut(count: int, queries: int) -> Texts:
    """`count` different passages and `queries` queries, the same at every call. ValueError if there is too little text."""
    draw = Random(20)
    insurance, other = _parted(_insurance()), _parted(_documentation())
    kept = [block for part in (insurance, other) for block in part[0]]
    windows = _windows(kept, count, draw)
    asked = [json.loads(line)["question"] for line in (EXAMPLES / "questions.jsonl").read_text().splitlines()]
    held = [block for block in insurance[1] if len(block) > max(_QUERY_WORDS)]
    while len(asked) < queries:
        block, length = draw.choice(held), draw.choice(_QUERY_WORDS)
        start = draw.randrange(len(block) - length)
        asked.append(" ".join(block[start : start + length]))
    return Texts(windows, asked[:queries])


def _parted(texts: Iterator[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Stretches of words to cut passages from, and blocks held out."""
    kept: list[list[str]] = []
    held: list[list[str]] = []
    for text in texts:
        words = text.split()
        for number, start in enumerate(range(0, len(words), _BLOCK)):
            block = words[start : start + _BLOCK]
            if number % _HELD_OUT == _HELD_OUT - 1:
                held.append(block)
            elif number % _HELD_OUT and kept:
                kept[-1].extend(block)
            else:
                kept.append(block)
    return kept, held


def _windows(stretches: list[list[str]], count: int, draw: Random) -> list[str]:
    """Windows of each length, evenly spaced, shuffled in runs of a document so that a part of them is a fair part."""
    words = sum(len(stretch) for stretch in stretches)
    step = max(1.0, words * len(_LENGTHS) / (count * 1.15))
    found: dict[str, None] = {}
    for length in _LENGTHS:
        for stretch in stretches:
            position = draw.uniform(0, step)
            while position < max(len(stretch) - length / 2, 1):
                start = int(position)
                found[" ".join(stretch[start : start + length])] = None
                position += step
    passages = list(found)
    if len(passages) < count:
        raise ValueError(f"only {len(passages)} different passages")
    runs = [passages[at : at + DOCUMENT_ROWS] for at in range(0, len(passages) - DOCUMENT_ROWS + 1, DOCUMENT_ROWS)]
    draw.shuffle(runs)
    return [text for run in runs for text in run][:count]


def _insurance() -> Iterator[str]:
    found = corpus()
    folders = [EXAMPLES] + ([found / "insurance", found / "office"] if found else [])
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if path.suffix == ".pdf":
            document = pdfium.PdfDocument(path)
            yield "\n".join(page.get_textpage().get_text_bounded() for page in document)
            document.close()
        elif path.suffix in (".txt", ".md"):
            yield path.read_text(errors="replace")


def _documentation() -> Iterator[str]:
    """The documentation inside installed packages, a text for each module."""
    for name in _PACKAGES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        for path in sorted(Path(spec.origin).parent.rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text(errors="replace")))
            named = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            texts = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, named)]
            yield "\n".join(text for text in texts if len(text) >= _LEAST_DOCSTRING)
