"""How long stages took, counted into buckets.

Belongs here: the bounds, and adding counts up. Does not: where the seconds come from (`totals`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

STAGES: Final = ("parse", "chunk", "embed", "store")
BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds, inclusive; what took longer is in a last bucket without one."""


def _none_counted() -> list[int]:
    return [0] * (len(BOUNDS) + 1)


@dataclass(slots=True)
class Histogram:
    """counts: by bucket, each on its own, the last without bound; seconds: the sum, exact."""

    counts: list[int] = field(default_factory=_none_counted)
    seconds: Decimal = Decimal(0)

    def add(self, bucket: int, count: int, seconds: Decimal) -> None:
        """Count so many more in one bucket, which took so long together."""
        self.counts[bucket] += count
        self.seconds += seconds

    def merge(self, other: Histogram) -> None:
        """Count all of the other's, too."""
        self.counts = [ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds

    def cumulative(self) -> list[tuple[str, int]]:
        """(upper bound, how many took at most so long), as Prometheus wants them."""
        names = [*map(str, BOUNDS), "+Inf"]
        return [(name, sum(self.counts[: number + 1])) for number, name in enumerate(names)]
