"""The lines of a page as JSON: the form in which pages read apart cross a process border or rest on disk.

Belongs here: that form. Does not: elements, which have their own (`parsed`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parsed import PageReport


def to_record(page: PageLines) -> bytes:
    """One page on one line of UTF-8 JSON; numbers keep every digit, so that the way back gives the same page."""
    body = {
        "report": asdict(page.report),
        "size": [page.width, page.height],
        "lines": [[line.text, *line.box, line.size, line.bold] for line in page.lines],
        "rules": page.rules,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def from_record(record: bytes) -> PageLines:
    """The inverse of `to_record`."""
    body: dict[str, Any] = json.loads(record)
    lines = [
        TextLine(text, Box(left, top, right, bottom), size, bold)
        for text, left, top, right, bottom, size, bold in body["lines"]
    ]
    width, height = body["size"]
    return PageLines(PageReport(**body["report"]), width, height, lines, [Box(*rule) for rule in body["rules"]])


def failed_page(number: int, note: str) -> bytes:
    """The record of a page that could not be read (US Letter, for want of better knowledge)."""
    return to_record(PageLines(PageReport(number, "failed", note=note), 612.0, 792.0))
