"""The pages of a TIFF, each read on its own: faxes of a hundred pages are not rare.

Belongs here: opening and reading by page. Does not: decoding a frame, or its limits (`images`).
"""

from __future__ import annotations

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing import images, ocr
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.parsed import PageReport


class TiffPages:
    """An open TIFF. count: pages, at least 1. Close it after use.

    Raises DocumentRefused: `corrupt` (also where its only page is damaged), `too_large`, `too_many_pages`.
    """

    def __init__(self, data: bytes, engine: str, max_pages: int = images.MAX_FRAMES) -> None:
        self._picture, self._engine = images.opened(data), engine
        self.count = images.frame_count(self._picture)
        if self.count > max_pages:
            raise DocumentRefused(
                "too_many_pages",
                f"The TIFF has {self.count} pages, over the limit of {max_pages} (TVDB_MAX_PAGES); split it.",
            )
        if self.count == 1 and images.decoded(self._picture, 1) is None:
            raise images.corrupt()

    def read(self, number: int) -> PageLines:
        """The lines of page `number`, from 1; a damaged one is a failed page. Raises DocumentRefused (`too_large`)."""
        frame = images.decoded(self._picture, number)
        if frame is None:
            return PageLines(PageReport(number, "failed", note=images.DAMAGED), *images.LETTER)
        return ocr.read_page(frame[0], number, frame[1], self._engine)

    def close(self) -> None:
        """Let go of the file."""
        self._picture.close()
