"""One finished document: its file name, its bytes, and the truth of its pages."""

from dataclasses import dataclass

from drawing.truth import PageTruth


@dataclass(frozen=True)
class Drawn:
    """A document ready to be written."""

    name: str
    content: bytes
    pages: list[PageTruth]
