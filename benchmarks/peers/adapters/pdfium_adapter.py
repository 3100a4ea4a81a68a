# pyright: basic, reportMissingImports=false
"""Bare PDFium: the text of each page as it comes, the floor of what reading a PDF costs.

Belongs here: one call for each page. Does not: anything done with the text.
"""

from __future__ import annotations

from pathlib import Path

import pages

# isort: split
import pypdfium2


def read(path: Path) -> tuple[int, int]:
    """Pages and characters."""
    document = pypdfium2.PdfDocument(path)
    try:
        characters = 0
        for page in document:
            text = page.get_textpage()
            characters += len(text.get_text_range())
            text.close()
            page.close()
        return len(document), characters
    finally:
        document.close()


if __name__ == "__main__":
    pages.read_all("pdfium", "pypdfium2", "text only", read)
