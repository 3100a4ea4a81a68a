"""Documents read by the parser, in as many processes as there are cores.

Belongs here: bytes -> pages of text, tables, routes, and the chunks' text. Does not: scoring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from os import sched_getaffinity
from typing import Literal

from tvdb_pipeline.chunking.chunks import chunk
from tvdb_pipeline.documents.admission import HEAD_BYTES, admit
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.parse import ParseOptions, parse
from tvdb_pipeline.parsing.parsed import ParsedDocument

Engine = Literal["pdfium", "fast", "ocr_only", "hi_res"]


@dataclass(frozen=True, slots=True)
class Task:
    """A file to read, under the name its reading is known by."""

    name: str
    file_name: str
    data: bytes
    engine: Engine = "pdfium"


@dataclass(slots=True)
class Reading:
    """What was read. text, tables, routes, confidences: by page, from 1; chunks: all their text; refusal: its code, if any."""

    name: str
    text: dict[int, str] = field(default_factory=dict[int, str])
    tables: dict[int, list[list[list[str]]]] = field(default_factory=dict[int, list[list[list[str]]]])
    routes: dict[int, str] = field(default_factory=dict[int, str])
    confidences: dict[int, float] = field(default_factory=dict[int, float])
    notes: list[str] = field(default_factory=list[str])
    chunks: str = ""
    refusal: str | None = None


def read_all(tasks: Iterable[Task]) -> Iterator[Reading]:
    """Read the files; in their order."""
    with ProcessPoolExecutor(len(sched_getaffinity(0))) as pool:
        yield from pool.map(read, tasks)


def read(task: Task) -> Reading:
    """Read one file with what is attached to it, whose pages follow those of the message."""
    reading = Reading(task.name)
    attached: list[bytes] = []
    try:
        media_type = admit(task.data[:HEAD_BYTES], len(task.data), task.file_name, 1 << 30)
        parsed = parse(task.data, media_type, ParseOptions(pdf_engine=task.engine), attached.append)
    except TvdbError as refusal:
        reading.refusal = refusal.code
        return reading
    _take(reading, parsed)
    for file, content in zip(parsed.attached, attached, strict=True):
        inner = read(Task(task.name, file.name, content))
        # The truth of the examples counts an attachment as part of its message's page.
        reading.text[1] = reading.text.get(1, "") + "\n" + "\n".join(inner.text.values())
        reading.tables.setdefault(1, []).extend(table for page in inner.tables.values() for table in page)
        reading.chunks += "\n" + inner.chunks
    return reading


def _take(reading: Reading, parsed: ParsedDocument) -> None:
    for element in parsed.elements:
        page = element.metadata.page_number or 1
        text = element.text
        if element.category == "Table" and element.metadata.text_as_html:
            # A table's own text names the column beside every value; its cells alone are what stands on the page.
            rows = table_rows(element.metadata.text_as_html)
            reading.tables.setdefault(page, []).append(rows)
            text = "\n".join(" ".join(row) for row in rows)
        reading.text[page] = f"{reading.text.get(page, '')}\n{text}"
    for page in parsed.pages:
        reading.routes[page.number] = page.route
        if page.confidence is not None:
            reading.confidences[page.number] = page.confidence
        if page.note:
            reading.notes.append(page.note)
    reading.chunks = "\n".join(piece.text for piece in chunk(parsed.elements))


def table_rows(html: str) -> list[list[str]]:
    """The cells of an HTML table, row by row."""
    from lxml import html as markup  # pyright: ignore[reportAttributeAccessIssue]

    tree = markup.fromstring(html)
    return [[" ".join(cell.text_content().split()) for cell in row.iter("td", "th")] for row in tree.iter("tr")]
