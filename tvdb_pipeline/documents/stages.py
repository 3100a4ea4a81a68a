"""The five stages of a document's walk, in order, and the data version of each.

Belongs here: names, order and version arithmetic. Does not: what a stage does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Final, Literal

Stage = Literal["raw_file", "parsed_text", "chunks", "embeddings", "vector_rows"]
STAGES: Final[tuple[Stage, ...]] = ("raw_file", "parsed_text", "chunks", "embeddings", "vector_rows")

Versions = Mapping[Stage, str]


def upstream(stage: Stage) -> Stage | None:
    """The stage before, or None for the first."""
    position = STAGES.index(stage)
    return STAGES[position - 1] if position else None


def selected(names: Collection[str]) -> frozenset[Stage]:
    """The stages of these names."""
    return frozenset[Stage](stage for stage in STAGES if stage in names)


def data_versions(content_sha256: str, fingerprints: Mapping[Stage, str]) -> dict[Stage, str]:
    """The data version of every stage for these bytes: the content hash, then sha256(version before + stage fingerprint)."""
    versions: dict[Stage, str] = {"raw_file": content_sha256}
    previous = content_sha256
    for stage in STAGES[1:]:
        previous = hashlib.sha256(f"{previous}:{fingerprints[stage]}".encode()).hexdigest()
        versions[stage] = previous
    return versions


def fingerprint(**ingredients: object) -> str:
    """16 hex digits standing for the code version, settings and model a stage depends on."""
    text = "\n".join(f"{name}={ingredients[name]!r}" for name in sorted(ingredients))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
