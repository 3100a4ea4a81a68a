"""A text, and the same text without what names a person.

Belongs here: which findings are replaced, by what, and counting them. Does not: finding (`recognizers`), whose library is
imported only when there is a text to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from tvdb_pipeline.errors import TvdbError

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

KINDS = ("SSN", "EMAIL", "MEMBER_ID", "POLICY_NUMBER", "CLAIM_NUMBER", "PHONE")
"""What is found. Where two findings overlap, the kind that stands first here wins: a label says more than a shape."""
REDACTION_VERSION = 1
"""Raised whenever the same text would be sent otherwise; part of the fingerprint of the stage `embeddings`."""


_NO_LANGUAGE_MODEL: Any = None
"""What Presidio is given in place of a language model's findings: its patterns need none."""


class Span(NamedTuple):
    """A finding: from character `start` up to `end`, not included."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """text: what may be sent; counts: how many of each kind were replaced, kinds with none left out."""

    text: str
    counts: Mapping[str, int]


class Redactor:
    """Finds and replaces. Raises TvdbError(`redaction_missing`) where the extra is not installed."""

    def __init__(self) -> None:
        if find_spec("presidio_analyzer") is None:
            raise TvdbError(
                "redaction_missing",
                "TVDB_REDACT_BEFORE_EMBEDDING is on, but its library is not installed: pip install 'tvdb_pipeline[redaction]'. "
                "Nothing was sent.",
            )
        self._recognizers: Sequence[EntityRecognizer] | None = None

    def spans(self, text: str) -> list[Span]:
        """What was found, in order, without overlaps."""
        if self._recognizers is None:
            from tvdb_pipeline.redaction.recognizers import recognizers

            self._recognizers = recognizers()
        found = [
            Span(result.start, result.end, result.entity_type)
            for recognizer in self._recognizers
            for result in recognizer.analyze(text, recognizer.supported_entities, _NO_LANGUAGE_MODEL) or ()
        ]
        chosen: list[Span] = []
        for span in sorted(found, key=lambda span: (KINDS.index(span.kind), span.start - span.end, span.start)):
            if all(span.end <= other.start or span.start >= other.end for other in chosen):
                chosen.append(span)
        return sorted(chosen)

    def redact(self, text: str) -> Redacted:
        """The text with each finding replaced by its kind, as in `<SSN>`: the same token in every text."""
        spans, pieces, at = self.spans(text), list[str](), 0
        for span in spans:
            pieces += [text[at : span.start], f"<{span.kind}>"]
            at = span.end
        return Redacted("".join([*pieces, text[at:]]), Counter(span.kind for span in spans))
