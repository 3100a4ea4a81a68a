"""A bound on a figure, and whether what was measured keeps it.

Belongs here: the form of a target and the judgement. Does not: any particular target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tvdb_pipeline.operations.reports.records import Records, at, command_of, shown

Side = Literal["at least", "at most", "less than"]
MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"


@dataclass(frozen=True, slots=True)
class Target:
    """One bound on one figure.

    side, limit, unit: `less than 300 s` is missed by 300, `at most 300 s` met; record: its name; reached: the record's figures ->
    the value, None where it is not among them; advice: what is to be done where it is missed, a sentence.
    """

    name: str
    what: str
    side: Side
    limit: float
    unit: str
    record: str
    reached: Callable[[Any], float | None]
    advice: str = ""

    @property
    def wanted(self) -> str:
        """The bound for a reader: `at most 25 ms`."""
        return " ".join(part for part in (self.side, plain(self.limit), self.unit) if part)


@dataclass(frozen=True, slots=True)
class Judged:
    """A target with what came of it. value: None where it was not measured; verdict: of the three above; by: how far a missed one
    is off, in words; command: what measures it."""

    target: Target
    value: float | None
    verdict: str
    by: str
    command: str

    @property
    def reached(self) -> str:
        """The value for a reader."""
        return NOT_MEASURED if self.value is None else " ".join(filter(None, (shown(self.value), self.target.unit)))


def judge(targets: Iterable[Target], records: Records) -> list[Judged]:
    """Every target with what was reached, in their order."""
    return [_judged(target, records) for target in targets]


def counted(judged: Sequence[Judged]) -> dict[str, int]:
    """How many of each verdict."""
    return {verdict: sum(row.verdict == verdict for row in judged) for verdict in (MET, MISSED, NOT_MEASURED)}


def plain(value: float) -> str:
    """A limit as it is written down, nothing rounded: 0.5, 25, 1024."""
    return f"{value:g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _judged(target: Target, records: Records) -> Judged:
    value, command = target.reached(at(records.get(target.record), "figures")), command_of(records, target.record)
    if value is None:
        return Judged(target, None, NOT_MEASURED, "", command)
    missing = target.limit - value if target.side == "at least" else value - target.limit
    if missing < 0 or (missing == 0 and target.side != "less than"):
        return Judged(target, value, MET, "", command)
    share = f" ({100 * missing / target.limit:.1f}% of the target)" if target.limit else ""
    return Judged(target, value, MISSED, " ".join(filter(None, ("by", shown(missing), target.unit))) + share, command)
