"""Whether a process grew: the second quarter of its samples against the last.

Belongs here: that comparison. Does not: taking samples.

The first quarter is left out: code is loaded and caches fill up. A median is not moved by one busy minute.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST_SAMPLES = 8
MOST_SHARE, MOST_MB = 0.05, 20.0
"""Memory has grown if it did by more than both."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Medians of one figure; grew: whether it may not."""

    name: str
    early: float
    late: float
    grew: bool


def judge(samples: Sequence[Mapping[str, float]], memory: Sequence[str], counts: Sequence[str]) -> list[Growth]:
    """Each figure judged: `memory` in MB, with tolerance; `counts` may not grow at all.

    Raises ValueError where there are too few samples to say.
    """
    if len(samples) < LEAST_SAMPLES:
        raise ValueError(f"{len(samples)} samples say nothing: {LEAST_SAMPLES} are needed")
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    found: list[Growth] = []
    for name in (*memory, *counts):
        before = statistics.median(sample[name] for sample in early)
        after = statistics.median(sample[name] for sample in late)
        allowed = max(MOST_MB, before * MOST_SHARE) if name in memory else 0.0
        found.append(Growth(name, before, after, after - before > allowed))
    return found
