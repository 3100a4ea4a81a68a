"""Thousands of small documents, no two alike, for measuring growth.

Belongs here: writing them. Does not: measuring.
"""

from __future__ import annotations

from pathlib import Path

from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

FILES_A_FOLDER = 1000


def write_documents(folder: Path, first: int, last: int) -> None:
    """Documents number `first` to `last - 1`: PDFs of one to three pages, each fourth a text file."""
    for number in range(first, last):
        place = folder / f"{number // FILES_A_FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        text = [f"Claim file {number:06}, synthetic.", *paragraphs(5 + number % 17, seed=1_000_000 + number)]
        if number % 4 == 3:
            (place / f"{number:06}.txt").write_text("\n\n".join(text))
        else:
            (place / f"{number:06}.pdf").write_bytes(flowing_pdf(text))
