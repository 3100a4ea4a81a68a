# pyright: basic, reportMissingImports=false
"""unstructured, strategy `fast`: elements from the text layer by pdfminer.

Belongs here: one call for each file. Does not: chunking.
"""

from __future__ import annotations

from pathlib import Path

import pages

# isort: split
import offline

offline.prepare()

from unstructured.partition.pdf import partition_pdf  # noqa: E402


def read(path: Path) -> tuple[int, int]:
    """The last page that has an element, and characters."""
    elements = partition_pdf(str(path), strategy="fast")
    last = max((element.metadata.page_number or 0 for element in elements), default=0)
    return last, sum(len(element.text) for element in elements)


if __name__ == "__main__":
    pages.read_all("unstructured_fast", "unstructured", "elements with type, no table cells", read)
