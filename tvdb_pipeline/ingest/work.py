"""One document on its walk: what is known of it so far.

Belongs here: that record, and outcomes about it. Does not: moving it along.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.documents.stages import Stage
from tvdb_pipeline.embedding.requests import Bought, Wanted
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.outcomes import CheckOutcome, StageOutcome
from tvdb_pipeline.parsing.parsed import Route
from tvdb_pipeline.redaction.redactor import Redacted
from tvdb_pipeline.storage.refusals import StorageAway


def _no_seconds() -> dict[str, float]:
    return {"parse": 0.0, "chunk": 0.0, "embed": 0.0, "store": 0.0}


@dataclass(slots=True)
class Work:
    """The document as it was claimed, and what the walk has found.

    mark: entity tag of the object that was read; versions: data version of each stage, as they should come out; chunks: None
    until chunked; redacted: text hash -> what is sent in place of a chunk's text, where that differs (hash and tokens are the
    text's own); bought: text hash -> whose vector; fetched: how many of them this walk asked for, on this document's bill;
    pending: text hashes still to be bought; refused: text hashes the provider refuses by themselves; refusal: why all others have
    no vector.
    """

    document: Document
    fence: int
    mark: str | None = None
    media_type: str = ""
    bytes: int = 0
    versions: dict[Stage, str] = field(default_factory=dict[Stage, str])
    coverage: dict[Route, int] = field(default_factory=dict[Route, int])
    missing: list[str] = field(default_factory=list[str])
    chunks: list[Chunk] | None = None
    redacted: dict[str, Redacted] = field(default_factory=dict[str, Redacted])
    bought: dict[str, Bought] = field(default_factory=dict[str, Bought])
    fetched: int = 0
    pending: set[str] = field(default_factory=set[str])
    refused: set[str] = field(default_factory=set[str])
    refusal: TvdbError | None = None
    seconds: dict[str, float] = field(default_factory=_no_seconds)

    @property
    def key(self) -> str:
        """The partition key."""
        return self.document.key

    @property
    def pages(self) -> int:
        """Pages of the file."""
        return sum(self.coverage.values())

    def wanted(self, piece: Chunk) -> Wanted:
        """What is asked of the provider for a chunk."""
        sent = self.redacted.get(piece.sha256)
        if sent is None:
            return Wanted(piece.text, piece.sha256, piece.tokens, self.key)
        return Wanted(sent.text, piece.sha256, piece.tokens, self.key, sent.counts)

    def tokens_of(self, hashes: set[str]) -> int:
        """cl100k tokens of those texts of the document, each counted once."""
        return sum({piece.sha256: piece.tokens for piece in self.chunks or [] if piece.sha256 in hashes}.values())


Read = tuple[Work, list[StageOutcome], TvdbError | None]
"""A document, the outcomes of a step, and the refusal that ends its walk, if any."""


def passed_stage(work: Work, stage: Stage, metrics: dict[str, Any], *checks: CheckOutcome) -> StageOutcome:
    """The outcome of a stage that came out as it should."""
    return StageOutcome(work.key, stage, "passed", work.versions[stage], metrics, checks)


def failed_stage(work: Work, stage: Stage, refusal: TvdbError) -> StageOutcome:
    """The outcome of a stage that did not, or that has to wait for storage."""
    return StageOutcome(work.key, stage, "deferred" if isinstance(refusal, StorageAway) else "failed", error=refusal)


def upstream_missing(stage: Stage) -> TvdbError:
    """A stage was selected without the one before, and there is no earlier result of that."""
    return TvdbError("upstream_missing", f"The result of {stage} is not there; select it, too.", retryable=True)
