"""Recall and precision by kind.

Belongs here: comparing what was found with what is there. Does not: finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.redaction_quality.passages import Passage
from tvdb_pipeline.redaction.redactor import KINDS, Redactor, Span


@dataclass(slots=True)
class Counts:
    """By kind. there: in the passages; gone: of those, how many are covered to their last sign, by whatever kind; found: what was
    replaced under this kind; right: of those, how many touch something of any kind that is there."""

    there: Counter[str] = field(default_factory=Counter[str])
    gone: Counter[str] = field(default_factory=Counter[str])
    found: Counter[str] = field(default_factory=Counter[str])
    right: Counter[str] = field(default_factory=Counter[str])

    def rows(self) -> list[dict[str, object]]:
        """A row a kind, and one for all."""
        return [self._row(kind, (kind,)) for kind in KINDS] + [self._row("all", KINDS)]

    def _row(self, name: str, kinds: Iterable[str]) -> dict[str, object]:
        there, gone, found, right = (
            sum(counter[kind] for kind in kinds) for counter in (self.there, self.gone, self.found, self.right)
        )
        return {
            "kind": name,
            "there": there,
            "recall": round(gone / there, 4) if there else None,
            "replaced": found,
            "precision": round(right / found, 4) if found else None,
        }


def count(redactor: Redactor, passages: Iterable[Passage]) -> Counts:
    """All passages, one after another."""
    counts = Counts()
    for passage in passages:
        found = redactor.spans(passage.text)
        for span in passage.spans:
            counts.there[span.kind] += 1
            counts.gone[span.kind] += any(_covers(other, span) for other in found)
        for span in found:
            counts.found[span.kind] += 1
            counts.right[span.kind] += any(_touch(span, other) for other in passage.spans)
    return counts


def _covers(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
