"""Known vulnerabilities that are lived with for a while: accepted.toml.

Belongs here: reading that file, strictly. Does not: finding vulnerabilities (`advisories`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name


@dataclass(frozen=True, slots=True)
class Accepted:
    """One entry. id: any id of the vulnerability; package: normalized; until: the last day it counts."""

    id: str
    package: str
    reason: str
    until: date

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.until


def read_accepted(path: Path) -> list[Accepted]:
    """Every entry. Raises ValueError for one that lacks something: an acceptance without a reason or an end is none."""
    with path.open("rb") as file:
        entries: list[dict[str, Any]] = tomllib.load(file).get("accepted", [])
    return [_accepted(entry) for entry in entries]


def _accepted(entry: dict[str, Any]) -> Accepted:
    if set(entry) != {"id", "package", "reason", "until"}:
        raise ValueError("an accepted vulnerability has id, package, reason and until, and nothing else")
    until, words = entry["until"], [entry[name] for name in ("id", "package", "reason")]
    if type(until) is not date or not all(isinstance(word, str) and word.strip() for word in words):
        raise ValueError("of an accepted vulnerability until is a date like 2027-01-31, and the others are not empty")
    return Accepted(entry["id"], canonicalize_name(entry["package"]), entry["reason"], until)
