"""Tesseract as OCR engine, where its command is on the machine (TVDB_OCR_ENGINE=tesseract).

Belongs here: calling the command and reading its table of words. Does not: rotation or pages (`ocr`).
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from typing import TYPE_CHECKING

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.lines import Box

if TYPE_CHECKING:
    from PIL.Image import Image

    from tvdb_pipeline.parsing.ocr import Seen

_TIMEOUT_SECONDS = 120
_GAP = 2.0  # a gap of more than so many line heights parts columns


def recognize(image: Image) -> list[Seen]:
    """The lines of an image. Raises TvdbError(`missing_engine`) where the command is absent."""
    command = shutil.which("tesseract")
    if command is None:
        raise TvdbError(
            "missing_engine", "TVDB_OCR_ENGINE=tesseract needs the tesseract command; install it or use rapidocr."
        )
    picture = io.BytesIO()
    image.convert("RGB").save(picture, "PNG")
    done = subprocess.run(
        [command, "stdin", "stdout", "--psm", "3", "tsv"],
        input=picture.getvalue(), capture_output=True, check=True, timeout=_TIMEOUT_SECONDS,
    )  # fmt: skip
    return _lines(done.stdout.decode("utf-8", "replace"))


def _lines(table: str) -> list[Seen]:
    from tvdb_pipeline.parsing.ocr import Seen

    lines: list[Seen] = []
    place: tuple[str, ...] = ()
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] != "5" or not row["text"].strip():
            continue
        left, top, width, height = (float(row[name]) for name in ("left", "top", "width", "height"))
        word = Seen(row["text"], max(0.0, float(row["conf"])) / 100, Box(left, top, left + width, top + height))
        here = tuple(row[name] for name in ("block_num", "par_num", "line_num"))
        if here == place and left - lines[-1].box.right < _GAP * (lines[-1].box.bottom - lines[-1].box.top):
            lines[-1] = _joined(lines[-1], word)
        else:
            lines.append(word)
        place = here
    return lines


def _joined(line: Seen, word: Seen) -> Seen:
    from tvdb_pipeline.parsing.ocr import Seen

    a, b = line.box, word.box
    weight = len(line.text) + len(word.text)
    confidence = (line.confidence * len(line.text) + word.confidence * len(word.text)) / weight
    box = Box(min(a.left, b.left), min(a.top, b.top), max(a.right, b.right), max(a.bottom, b.bottom))
    return Seen(f"{line.text} {word.text}", confidence, box)
