"""Which pages of a document are there, which are missing, and which have ended their process.

Belongs here: that account, and cutting what is missing into ranges. Does not: reading, time, or processes (`document_reading`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.frames import MOST_BYTES
from tvdb_pipeline.parsing.page_records import failed_page

SLICE_SECONDS: Final = 10.0
MOST_PAGES_OF_A_RANGE: Final = 500
DEATHS_OF_A_PAGE, DEATHS_OF_A_DOCUMENT = 2, 6
"""So often may a page end its process before it is given up; so often all pages of a document, before the rest is."""
_NOWHERE: Final = 0


class PageAccount:
    """Records by page number, from 1. total: pages of the document, 0 while not known. For one thread at a time."""

    def __init__(self, total: int, pages: Mapping[int, bytes], most_pages: int) -> None:
        # What was kept is taken for what it says only as far as it can be true.
        self.total = total if 0 < total <= most_pages else 0
        self._pages = {number: record for number, record in pages.items() if 0 < number <= self.total}
        self._bytes = sum(map(len, self._pages.values()))
        self._deaths: Counter[int] = Counter()

    @property
    def complete(self) -> bool:
        """Whether every page is there, read or given up."""
        return 0 < self.total == len(self._pages)

    def add(self, total: int, pages: Mapping[int, bytes]) -> None:
        """Enter what was read; total: pages the document has, 0 where that was not said. Raises DocumentRefused."""
        if total and self.total and total != self.total:
            raise DocumentRefused(
                "inconsistent", "The file has another number of pages each time it is read; export it again."
            )
        self.total = self.total or total
        for number, record in pages.items():
            self._bytes += len(record) - len(self._pages.get(number, b""))
            self._pages[number] = record
        if self._bytes > MOST_BYTES:
            raise DocumentRefused("result_too_large", "What was read from the file is over the size limit; split it.")

    def bury(self, page: int | None, why: str) -> None:
        """A process died at this page (None: between pages): give it up, or all that are missing, if it was not the first."""
        at = page if page is not None and page not in self._pages else _NOWHERE
        self._deaths[at] += 1
        if self._deaths.total() >= DEATHS_OF_A_DOCUMENT:
            for number in self.missing(range(1, self.total + 1)):
                self._give_up(number, "not read: several pages ended the parsing process")
        elif at != _NOWHERE and self._deaths[at] >= DEATHS_OF_A_PAGE:
            self._give_up(at, f"reading it {why}")

    def missing(self, among: Sequence[int]) -> list[int]:
        """Those of these pages that are not there."""
        return [number for number in among if number not in self._pages]

    def ranges(self, pages_a_second: float, workers: int) -> list[list[int]]:
        """The missing pages in ranges of about a slice of time each, and one for each process where there are fewer."""
        missing = self.missing(range(1, self.total + 1))
        even = -(-len(missing) // workers)
        size = max(1, min(even, int(pages_a_second * SLICE_SECONDS), MOST_PAGES_OF_A_RANGE))
        return [missing[start : start + size] for start in range(0, len(missing), size)]

    def records(self) -> bytes:
        """All pages in order, one on each line. Wants `complete`."""
        return b"".join(self._pages[number] + b"\n" for number in range(1, self.total + 1))

    def _give_up(self, number: int, note: str) -> None:
        self._pages[number] = failed_page(number, note)
