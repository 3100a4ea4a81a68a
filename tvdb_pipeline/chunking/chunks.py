"""The chunk record, and elements -> chunks.

Belongs here: putting units and cuts together, and the JSON form. Does not: the rules of either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tvdb_pipeline.chunking.cuts import MAX_CHUNK_TOKENS, cut
from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.chunking.units import Strength, Unit, units

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

CHUNKING_VERSION = 1
"""Raised whenever the same elements would give other chunks; part of the stage's fingerprint."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage. text is all that is hashed and embedded; pages (1-based, inclusive) and section are metadata; section is
    that of its beginning, outermost title first.

    tokens: exact cl100k count of text; sha256: of the UTF-8 text, 64 hex digits.
    """

    index: int
    text: str
    tokens: int
    sha256: str
    page_start: int
    page_end: int
    section: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizeReport:
    """What the check `chunks/sizes_within_limits` looks at: chunks, and the least and most tokens in one."""

    chunks: int
    least: int
    most: int

    @property
    def passed(self) -> bool:
        """At least one chunk, none empty, none over 512 tokens."""
        return self.chunks > 0 and self.least > 0 and self.most <= MAX_CHUNK_TOKENS


def chunk(elements: Sequence[Element]) -> list[Chunk]:
    """The chunks of a document in reading order."""
    return [_chunk(index, group) for index, group in enumerate(cut(units(elements)))]


def size_report(chunks: Sequence[Chunk]) -> SizeReport:
    """Sizes of these chunks, counted anew."""
    sizes = [count_tokens(piece.text) if piece.text.strip() else 0 for piece in chunks]
    return SizeReport(len(sizes), min(sizes, default=0), max(sizes, default=0))


def to_json(chunks: Sequence[Chunk]) -> bytes:
    """UTF-8 JSON of a list of chunks."""
    return json.dumps([asdict(piece) for piece in chunks], ensure_ascii=False, separators=(",", ":")).encode()


def from_json(data: bytes) -> list[Chunk]:
    """The inverse of `to_json`."""
    records: list[dict[str, Any]] = json.loads(data)
    for record in records:
        record["section"] = tuple(record["section"])
    return [Chunk(**record) for record in records]


def _chunk(index: int, group: Sequence[Unit]) -> Chunk:
    text = group[0].text
    for unit in group[1:]:
        text += (" " if unit.strength <= Strength.SENTENCE else "\n") + unit.text
    return Chunk(
        index=index,
        text=text,
        tokens=count_tokens(text),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        page_start=min(unit.page for unit in group),
        page_end=max(unit.last_page for unit in group),
        section=group[0].section,
    )
