"""Lines of one block -> paragraphs, titles and list items.

Belongs here: what belongs together and what kind of thing it is. Does not: the order of blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tvdb_pipeline.parsing.lines import HYPHEN, Box, TextLine

Kind = Literal["Title", "NarrativeText", "ListItem"]
_BULLET = re.compile(r"^(?:[•●○▪■◦‣\uf0b7·*–—-]|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)])\s+\S")
_BULLET_ALONE = re.compile(r"^(?:[•●○▪■◦‣\uf0b7·*–—-]|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)])$")
_NUMBERED_TITLE = re.compile(
    r"^(?:(?:chapter|section|article|part|appendix|schedule)\s+[\dA-Z]+|\d+(?:\.\d+)+\.?\s+[A-Z])", re.I
)
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]{2}"
)
"""Two characters of scripts that part words by no spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer), so that their lines
are joined without one."""
_MAX_TITLE_WORDS: Final = 16


@dataclass(slots=True)
class Paragraph:
    """Text with its kind and place; size and bold are those of its first line, for ranking titles.

    room: letters that had fitted behind its last line within its block; opens: whether it is the first of a column or page.
    """

    kind: Kind
    text: str
    box: Box
    size: float
    bold: bool
    room: float = 0.0
    opens: bool = False

    def goes_on_in(self, other: Paragraph) -> bool:
        """Whether `other`, the first of the next column or page, goes on with this paragraph."""
        if "Title" in (self.kind, other.kind) or other.kind == "ListItem":
            return False
        # A line that goes on ends where the next word no longer fits.
        fitted = len(other.text.partition(" ")[0]) + 1 <= self.room
        return not fitted or (other.text[:1].islower() and not self.text.endswith((".", "!", "?", ":", ";")))


@dataclass(frozen=True, slots=True)
class Body:
    """What is usual in a document: line height in points, and the distance of baselines as a multiple of it."""

    size: float
    leading: float


def paragraphs(lines: Sequence[TextLine], usual: Body) -> Iterator[Paragraph]:
    """The paragraphs of one block's lines in reading order."""
    edges = [line.box for line in lines]
    right = max(box.right for box in edges)
    group: list[TextLine] = []
    for line in joined_rows(lines):
        if group and _begins_new(group, line, usual.leading):
            yield _paragraph(group, usual.size, right)
            group = []
        group.append(line)
    if group:
        yield _paragraph(group, usual.size, right)


def joined_rows(lines: Sequence[TextLine]) -> Iterator[TextLine]:
    """Pieces of one baseline (a label and its value, a bullet and its text) as one line."""
    row: TextLine | None = None
    for line in lines:
        overlap = 0.0 if row is None else min(row.box.bottom, line.box.bottom) - max(row.box.top, line.box.top)
        if row is not None and overlap > 0.5 * min(row.size, line.size) and line.box.left >= row.box.right - 1:
            row = TextLine(
                f"{row.text} {line.text}", _around(row.box, line.box), max(row.size, line.size), row.bold and line.bold
            )
        else:
            if row is not None:
                yield row
            row = line
    if row is not None:
        yield row


def _begins_new(group: list[TextLine], line: TextLine, leading: float) -> bool:
    before = group[-1]
    step = line.box.bottom - before.box.bottom
    if len(group) > 1 and group[-2].box.bottom < before.box.bottom:
        leading = min(max(leading, 1.0), (before.box.bottom - group[-2].box.bottom) / before.size)
    if step > 1.25 * leading * before.size or step < 0 or _BULLET.match(line.text) or _BULLET_ALONE.match(line.text):
        return True
    if abs(line.size - before.size) > 0.12 * before.size or line.bold != before.bold:
        return True
    # A new first-line indent, or a line that stopped well short of the others.
    indent = line.box.left - before.box.left
    width = max(member.box.right for member in group) - min(member.box.left for member in group)
    short = (
        len(group) > 1
        and before.box.right < group[0].box.left + 0.7 * width
        and before.text.endswith((".", ":", "?", "!"))
    )
    return (indent > 1.2 * line.size and not _BULLET.match(group[0].text)) or short


def _paragraph(group: list[TextLine], body_size: float, right: float) -> Paragraph:
    text = group[0].text
    for line in group[1:]:
        space = "" if _UNSPACED.match(text[-1:] + line.text[:1]) else " "
        text = text[:-1] + line.text if text.endswith(HYPHEN) else f"{text}{space}{line.text}"
    text = text.replace(HYPHEN, "-")
    first = group[0]
    box = first.box
    for line in group[1:]:
        box = _around(box, line.box)
    kind = _kind(text, first, len(group), body_size)
    last = group[-1]
    letter = (last.box.right - last.box.left) / max(len(last.text), 1)
    return Paragraph(kind, text, box, first.size, first.bold, (right - last.box.right) / letter if letter > 0 else 0.0)


def _kind(text: str, first: TextLine, lines: int, body_size: float) -> Kind:
    words = len(text.split())
    short = words <= _MAX_TITLE_WORDS and lines <= 3 and any(char.isalpha() for char in text)
    stops = text.endswith((".", ";", ",", ":")) and not _NUMBERED_TITLE.match(text)
    larger = first.size > 1.15 * body_size
    if (
        short
        and not stops
        and (larger or first.bold or (_NUMBERED_TITLE.match(text) and first.size >= 0.95 * body_size))
    ):
        return "Title"
    return "ListItem" if _BULLET.match(text) else "NarrativeText"


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left), min(one.top, other.top), max(one.right, other.right), max(one.bottom, other.bottom)
    )
