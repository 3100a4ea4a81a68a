"""Pages of long documents that are not read to the end, kept so that reading goes on where it stopped.

Belongs here: keeping, finding and forgetting them, under TVDB_HOME. Does not: what a page's record says, or finished results
(`artifacts`). A range is kept whole or not at all; one that is damaged counts as not read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.privacy.modes import private_folder


class PageShelf:
    """The pages of one version of one document: files `<total>-<first page>` under `<root>/<document key>/<version>`."""

    def __init__(self, root: Path, key: str, version: str) -> None:
        self._document = root / key
        self._folder = self._document / version

    def kept(self) -> tuple[int, dict[int, bytes]]:
        """(number of pages of the document, records by page number); (0, {}) for a document not begun."""
        total, pages = 0, dict[int, bytes]()
        for file in sorted(self._folder.glob("[0-9]*-*")):
            with suppress(OSError, zlib.error, ValueError):
                count = int(file.name.partition("-")[0])
                lines = zlib.decompress(file.read_bytes()).splitlines()
                found = {int(number): record for number, _, record in (line.partition(b"\t") for line in lines)}
                total, pages = count, pages | found
        return total, pages

    def keep(self, total: int, pages: Mapping[int, bytes]) -> None:
        """Keep the records of pages just read; each is one line. Raises TvdbError(`disk`)."""
        body = b"\n".join(b"%d\t%s" % (number, record) for number, record in pages.items())
        try:
            private_folder(self._folder)
            self._write(f"{total}-{min(pages)}", zlib.compress(body, 1))
        except OSError as error:
            raise TvdbError(
                "disk", f"Pages read cannot be kept (errno {error.errno}); free space under TVDB_HOME.", retryable=True
            ) from None

    def _write(self, name: str, data: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self._folder / name)
            except BaseException:
                # On a full disk, half a file would only make things worse.
                Path(file.name).unlink(missing_ok=True)
                raise

    def forget(self) -> None:
        """Remove all that is kept of the document, of this version and others."""
        shutil.rmtree(self._document, ignore_errors=True)
