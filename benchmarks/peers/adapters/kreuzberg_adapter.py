# pyright: basic, reportMissingImports=false
"""Kreuzberg: extract_file_sync as its documentation begins, without OCR.

Belongs here: one call for each file. Does not: chunking.
"""

from __future__ import annotations

from pathlib import Path

import pages

# isort: split
from kreuzberg import ExtractionConfig, extract_file_sync

# Its cache would answer the second repeat.
CONFIG = ExtractionConfig(use_cache=False)


def read(path: Path) -> tuple[int, int]:
    """Pages and characters."""
    result = extract_file_sync(path, config=CONFIG)
    return int(result.metadata.get("page_count") or 0), len(result.content)


if __name__ == "__main__":
    pages.read_all("kreuzberg", "kreuzberg", "text only", read)
