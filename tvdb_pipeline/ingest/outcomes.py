"""What a walk reports: one outcome for each document and stage, with its checks.

Belongs here: the records. Does not: making them, or showing them to anyone. They hold keys, counts and codes only: no text,
no file name, no vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tvdb_pipeline.documents.stages import Stage
from tvdb_pipeline.errors import TvdbError

Metrics = Mapping[str, int | float | str]
CHECK_NAMES: Final[tuple[tuple[Stage, str], ...]] = (
    ("parsed_text", "text_covers_pages"),
    ("chunks", "sizes_within_limits"),
    ("embeddings", "vectors_well_formed"),
    ("embeddings", "cost_within_limits"),
    ("vector_rows", "rows_match_chunks"),
)


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One evaluation of one check. blocking: whether, not passed, it keeps the document from going further."""

    name: str
    passed: bool
    blocking: bool
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """How one stage went for one document. version: the data version, where it passed; error: why, where it did not."""

    key: str
    stage: Stage
    status: Literal["passed", "failed", "deferred"]
    version: str | None = None
    metrics: Metrics = field(default_factory=dict[str, int | float | str])
    checks: tuple[CheckOutcome, ...] = ()
    error: TvdbError | None = None
