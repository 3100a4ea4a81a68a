"""What is asked of the parsing processes and what they give: a file in, a result out.

Belongs here: those types. Does not: how one comes of the other (`document_reading`, `pool`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tvdb_pipeline.errors import TvdbError


class PageShelf(Protocol):
    """Where the pages of an unfinished document are kept: number -> record (see `page_records`)."""

    def kept(self) -> tuple[int, dict[int, bytes]]:
        """(number of pages of the document, those kept); (0, {}) for a document not begun."""
        ...

    def keep(self, total: int, pages: Mapping[int, bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class ParseJob:
    """A file to parse, under the key its result is known by. shelf: where unfinished work is kept, if anywhere."""

    key: str
    file: Path
    media_type: str
    shelf: PageShelf | None = None


@dataclass(frozen=True, slots=True)
class ParseResult:
    """The parsed document as JSON (see ParsedDocument.to_json), or why there is none; the seconds processes worked on it,
    and the contents of the files attached to it."""

    key: str
    parsed: bytes | TvdbError
    seconds: float
    attached: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """Seconds: for a document without pages or its last step; for one page; and of a process, for a page on average. What takes
    more than that in the whole is not waited for: OCR takes 4 on a free core. first_slice: before it makes way for others."""

    document: float
    page: float
    average: float = 20.0
    first_slice: float = 5.0
