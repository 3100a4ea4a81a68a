"""The documents of a load: drawn PDFs of a given number of pages, no two alike, and examples of the other formats.

Belongs here: making them. Does not: who ingests them, or the traffic of a soak (`traffic`).
"""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

from benchmarks.grounds import EXAMPLES
from tvdb_pipeline_tests.pdf_writer import CHARACTERS_A_LINE, LINES_A_PAGE, flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

LONG = (230, 150, 110, 80, 62, 50)
"""Pages of the long documents of the mix."""
SHORT = (1, 2, 1, 3, 1, 2, 4, 1, 2, 6, 1, 3, 2, 12, 1, 5, 2) * 2
OTHERS = (
    "adjuster-notes.txt", "broker-training.pptx", "claim-form-scan.pdf", "denial-letter.docx", "fee-schedule-coastal-pos.xlsx",
    "fee-schedule-dental.csv", "hail-claim.eml", "physician-letter-sideways.png", "premium-rate-notice.md",
    "student-plan-faq.html",
)  # fmt: skip
"""Of data/examples: what is not a PDF with a text layer."""
PARTS = ("a", "b", "c")
_PARAGRAPHS_A_PAGE = 20
"""More than fit."""


def drawn(pages: int, seed: int) -> bytes:
    """A PDF of exactly so many pages; another seed gives other text throughout."""
    room, chosen = pages * LINES_A_PAGE, list[str]()
    for paragraph in paragraphs(pages * _PARAGRAPHS_A_PAGE, seed=seed):
        room -= len(textwrap.wrap(paragraph, CHARACTERS_A_LINE)) + 1
        if room < 0:
            break
        chosen.append(paragraph)
    return flowing_pdf(chosen)


def write_mix(folder: Path) -> list[Path]:
    """The 50 documents of the load test, dealt out to the folders `PARTS` in `folder`, the long ones among the short."""
    files: list[Path] = []
    sizes = [*SHORT, *LONG]
    # 40 and 7 have no common divisor: each size once, the long ones apart from each other.
    for number in range(len(sizes)):
        pages = sizes[number * 7 % len(sizes)]
        file = _place(folder, len(files), f"{number:02}-{pages}-pages.pdf")
        file.write_bytes(drawn(pages, seed=1000 + number))
        files.append(file)
    for name in OTHERS:
        file = _place(folder, len(files), name)
        shutil.copyfile(EXAMPLES / name, file)
        files.append(file)
    return files


def _place(folder: Path, number: int, name: str) -> Path:
    part = folder / PARTS[number % len(PARTS)]
    part.mkdir(parents=True, exist_ok=True)
    return part / name
