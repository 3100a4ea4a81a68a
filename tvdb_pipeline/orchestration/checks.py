"""The five asset checks, as Dagster knows them.

Belongs here: their specs, and outcomes -> evaluations. Does not: the judgements, which are made in the rooms they judge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import dagster as dg

from tvdb_pipeline.ingest.outcomes import CHECK_NAMES, StageOutcome

_DESCRIPTIONS = {
    "text_covers_pages": "Every page was read as text, by OCR, or is blank. A warning: the pages that were read are of use.",
    "sizes_within_limits": "There are chunks, none of them empty or over 512 tokens. Otherwise nothing is embedded.",
    "vectors_well_formed": "A vector for every text: 1536 dimensions, finite, of unit length, varied. Otherwise none is stored.",
    "cost_within_limits": "The document's cost and the day's are within their limits.",
    "rows_match_chunks": "Each chunk has its row, and each row its vector. Otherwise the earlier rows stay.",
}
_WARNS_ONLY = ("text_covers_pages",)
CHECK_SPECS = [
    # Blocking is said here for those who read it in the UI; the walk itself goes no further with such a document.
    dg.AssetCheckSpec(name, asset=stage, description=_DESCRIPTIONS[name], blocking=name not in _WARNS_ONLY)
    for stage, name in CHECK_NAMES
]


def evaluations(outcome: StageOutcome, selected: Collection[dg.AssetCheckKey]) -> Iterator[dg.AssetCheckEvaluation]:
    """The evaluations of one outcome, for its document alone. Logged as events: a returned result would lose its partition."""
    for check in outcome.checks:
        if dg.AssetCheckKey(dg.AssetKey(outcome.stage), check.name) in selected:
            yield dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(outcome.stage),
                check_name=check.name,
                passed=check.passed,
                metadata=dict(check.metrics),
                severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
                blocking=check.blocking,
                partition=outcome.key,
            )
