"""Tesseract as OCR engine, where its command is on the machine.

Belongs here: calling the command and making lines of its table of words. Does not: the account of a page (`ocr`), or any Python
binding: the command line is enough.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from itertools import groupby

from PIL import Image

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.lines import Box
from tvdb_pipeline.parsing.recognition import Reading, Span

TIMEOUT = 120.0
"""Seconds for one page; pages of noise can keep the command busy for minutes."""

COLUMN_GAP = 2.0
"""Words of one line farther apart than this many line heights stand in different columns."""

_ROTATE = re.compile(rb"^Rotate: (0|90|180|270)$", re.MULTILINE)
_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def read(page: Image.Image) -> Reading:
    """Ask for the orientation, turn the page, read it. Raises TvdbError (`ocr_engine_missing`, `ocr_engine_failed`)."""
    # Orientation fails on pages with little text: such a page is read as it lies.
    found = _ROTATE.search(_run(page, "0", "txt").stdout)
    turn = int(found[1]) if found else 0
    done = _run(page.transpose(_TURNS[turn]) if turn else page, "3", "tsv")
    if done.returncode:
        raise TvdbError("ocr_engine_failed", "The tesseract command failed; check its installation and language data.")
    return Reading(turn, _spans(done.stdout.decode("utf-8", "replace")))


def _run(page: Image.Image, layout: str, output: str) -> subprocess.CompletedProcess[bytes]:
    command = shutil.which("tesseract")
    if command is None:
        raise TvdbError(
            "ocr_engine_missing", "The tesseract command is not on this machine; install it or use the rapidocr engine."
        )
    picture = io.BytesIO()
    page.save(picture, "PPM")
    arguments = [command, "stdin", "stdout", "--psm", layout, *(["tsv"] if output == "tsv" else [])]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        return subprocess.run(
            arguments, input=picture.getvalue(), capture_output=True, check=False, timeout=TIMEOUT, env=environment
        )
    except subprocess.TimeoutExpired:
        # From None: the original carries the output so far, which is document text.
        raise TvdbError("ocr_engine_failed", f"The tesseract command took over {TIMEOUT:.0f} seconds a page.") from None


def _spans(table: str) -> list[Span]:
    words = [
        row
        for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
        if row["level"] == "5" and row["text"].strip()
    ]
    spans: list[Span] = []
    for _, line in groupby(words, lambda row: (row["block_num"], row["par_num"], row["line_num"])):
        cell: list[Span] = []
        for row in line:
            word = _word(row)
            if cell and word.box.left - cell[-1].box.right > COLUMN_GAP * word.size:
                spans.append(_joined(cell))
                cell = []
            cell.append(word)
        spans.append(_joined(cell))
    return spans


def _word(row: dict[str, str]) -> Span:
    left, top, width, height = (float(row[name]) for name in ("left", "top", "width", "height"))
    box = Box(left, top, left + width, top + height)
    return Span(row["text"].strip(), max(0.0, float(row["conf"])) / 100, box, height)


def _joined(words: list[Span]) -> Span:
    """One span of the words; its font size is the height of its tallest word, which has capitals or tails."""
    characters = sum(len(word.text) for word in words)
    confidence = sum(word.confidence * len(word.text) for word in words) / characters
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    box = Box(min(lefts), min(tops), max(rights), max(bottoms))
    return Span(" ".join(word.text for word in words), confidence, box, max(word.size for word in words))
