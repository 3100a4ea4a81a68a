"""What parsing hands on: elements, and an account of every page.

Belongs here: the result types and their JSON form (the only form in which a result crosses a process border or rests on
disk). Does not: anything that decodes a document.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

Route = Literal["text", "ocr", "blank", "failed"]


@dataclass(frozen=True, slots=True)
class PageReport:
    """How one page was read.

    number: 1-based; route: see `Route`; confidence: mean OCR confidence in 0..1, None where no OCR ran; rotation: degrees the
    page image was turned clockwise to stand upright; note: a short reason where something on the page is missing.
    """

    number: int
    route: Route
    confidence: float | None = None
    rotation: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file attached to a message: a document of its own.

    number: its place in the message, `2` or, in a message inside that one, `2.1`; name: as the sender called it, without folders.
    """

    number: str
    name: str
    sha256: str
    bytes: int


@dataclass(slots=True)
class ParsedDocument:
    """All elements of a document in reading order and one `PageReport` for each of its pages.

    elements: unstructured's classes, each with `metadata.page_number` (1-based) and, where known, `metadata.coordinates`.
    missing: short sentences naming what could not be read besides pages (a large picture in a slide). attached: the files
    that came with it, whose bytes travel apart.
    """

    media_type: str
    elements: list[Element]
    pages: list[PageReport]
    missing: list[str] = field(default_factory=list)
    attached: list[AttachedFile] = field(default_factory=list[AttachedFile])

    def coverage(self) -> dict[Route, int]:
        """Number of pages by route; the four values add up to the number of pages."""
        counts: dict[Route, int] = {"text": 0, "ocr": 0, "blank": 0, "failed": 0}
        for page in self.pages:
            counts[page.route] += 1
        return counts

    def to_json(self) -> bytes:
        """UTF-8 JSON; elements in unstructured's own dictionary form."""
        body = {
            "media_type": self.media_type,
            "elements": [element.to_dict() for element in self.elements],
            "pages": [asdict(page) for page in self.pages],
            "missing": self.missing,
            "attached": [asdict(file) for file in self.attached],
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> ParsedDocument:
        """The inverse of `to_json`."""
        body: dict[str, Any] = json.loads(data)
        return cls(
            media_type=body["media_type"],
            elements=[_element(record) for record in body["elements"]],
            pages=[PageReport(**page) for page in body["pages"]],
            missing=list(body["missing"]),
            attached=[AttachedFile(**file) for file in body["attached"]],
        )


def _element(record: dict[str, Any]) -> Element:
    # unstructured.staging.base does the same but imports pandas first, which costs two seconds a process.
    from unstructured.documents.elements import TYPE_TO_TEXT_ELEMENT_MAP, ElementMetadata, Text

    element_class = TYPE_TO_TEXT_ELEMENT_MAP.get(record["type"], Text)
    return element_class(
        text=record["text"],
        element_id=record["element_id"],
        metadata=ElementMetadata.from_dict(record["metadata"]),
    )
