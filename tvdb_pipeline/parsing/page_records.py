"""The lines of a page as JSON: the form in which pages read apart cross a process border or rest on disk.

Belongs here: that form, and telling what has it from what has not. Does not: elements, which have their own (`parsed`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final, get_args

from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parsed import PageReport, Route

MOST_BYTES: Final = 16 << 20
"""Of one page: a hundred times a page full of small print."""
_MOST_NOTE: Final = 300
_CHARACTER, _LINE, _RULE = 12, 200, 120  # bytes they take at most


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
    """The inverse of `to_record`. Raises ValueError for anything `to_record` does not make."""
    if len(record) > MOST_BYTES or b"\n" in record or b"\r" in record:
        raise ValueError("no page")
    try:
        body: dict[str, Any] = json.loads(record)
        lines = [_line(*line) for line in body["lines"]]
        width, height = map(_number, body["size"])
        return PageLines(_report(**body["report"]), width, height, lines, [_box(*rule) for rule in body["rules"]])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # Their messages may quote the document.
        raise ValueError("no page") from None


def too_long(page: PageLines) -> bool:
    """Whether its record would be over `MOST_BYTES`."""
    characters = sum(len(line.text) for line in page.lines)
    if _CHARACTER * characters + _LINE * len(page.lines) + _RULE * len(page.rules) < MOST_BYTES // 2:
        return False
    return len(to_record(page)) > MOST_BYTES


def failed_page(number: int, note: str) -> bytes:
    """The record of a page that could not be read (US Letter, for want of better knowledge)."""
    return to_record(PageLines(PageReport(number, "failed", note=note[:_MOST_NOTE]), 612.0, 792.0))


def _line(text: Any, left: Any, top: Any, right: Any, bottom: Any, size: Any, bold: Any) -> TextLine:
    if not isinstance(text, str) or not isinstance(bold, bool):
        raise ValueError("no line")
    return TextLine(text, _box(left, top, right, bottom), _number(size), bold)


def _box(left: Any, top: Any, right: Any, bottom: Any) -> Box:
    return Box(_number(left), _number(top), _number(right), _number(bottom))


def _report(number: Any, route: Any, confidence: Any, rotation: Any, note: Any) -> PageReport:
    whole = type(number) is int and type(rotation) is int
    if not whole or route not in get_args(Route) or not isinstance(note, str | None) or len(note or "") > _MOST_NOTE:
        raise ValueError("no report")
    return PageReport(number, route, None if confidence is None else _number(confidence), rotation, note)


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError("no number")
    return value
