"""What was measured, as the benchmarks keep it: reports/data/<name>.json, and the command that makes each.

Belongs here: which records there are, and reading them. Does not: writing them (`benchmarks/recording.py`), or what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tvdb_pipeline.errors import TvdbError

Records = Mapping[str, dict[str, Any] | None]
"""Envelopes by name: `name`, `command`, `measured_at`, `commit`, `machine`, `figures`. None for what was not measured."""

COMMANDS: Mapping[str, str] = {
    "bench": "make bench",
    "sizes": "make bench",
    "parsing": "make bench",
    "lower-bound": "make bench",
    "batch-size": "make batch-study",
    "growth": "make growth",
    "search-at-scale": "make search-scale",
    "load-test": "make load-test",
    "soak": "make soak",
    "scale": "make scale",
    "parsing-quality": "make evaluate",
    "examples": "make evaluate",
    "search-quality": "make evaluate",
    "suite": "python -m benchmarks.suite",
    "hostile": "make hostile",
    "fuzz": "make fuzz",
    "storm": "make storm",
    "crash-points": "make crash-points",
    "outage": "make outage",
    "probes": "make probes",
    "mutants": "make mutants",
    "chaos": "make chaos",
    "drill": "tvdb drill",
    "redaction": "make redaction-quality",
    "doctor": "tvdb report --check",
    "live": "make live",
}
"""What makes each record, for those that are not there; those that are there name theirs."""


def load_records(folder: Path) -> Records:
    """All of `COMMANDS` from `folder`. Raises TvdbError (`bad_record`) for a file that is no record."""
    return {name: _load(folder / f"{name}.json") for name in COMMANDS}


def _load(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        envelope = json.loads(path.read_text())
        if isinstance(envelope, dict) and {"command", "measured_at", "commit", "figures"} <= envelope.keys():
            return envelope
    except ValueError:
        pass
    raise TvdbError("bad_record", f"reports/data/{path.name} is no record of a measurement; measure it again.")


def command_of(records: Records, name: str) -> str:
    """What a reader types to measure this again, or for the first time."""
    return str(at(records.get(name), "command") or COMMANDS[name])


def at(figures: Any, *path: str) -> Any:
    """What stands under these keys, one in the other; None where one is missing."""
    for key in path:
        figures = figures.get(key) if isinstance(figures, dict) else None
    return figures


def number(value: Any) -> float | None:
    """A number as it is, the median of a spread (`benchmarks.recording.spread`), None for anything else."""
    if isinstance(value, dict):
        value = value.get("median")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def rows_of(figures: Any, key: str = "rows") -> list[dict[str, Any]]:
    """The list of mappings under `key`; empty where there is none."""
    found = at(figures, key)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def ratio(whole: float | None, part: float | None) -> float | None:
    """One by the other; None where either is not there, or the other is 0."""
    return whole / part if whole is not None and part else None


def shown(value: float) -> str:
    """A number for a reader: three figures, or all of a whole number."""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    magnitude = int(f"{value:e}".partition("e")[2])
    return f"{value:.{max(0, 2 - magnitude)}f}"
