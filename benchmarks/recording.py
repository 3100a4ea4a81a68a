"""What a benchmark measured, kept as JSON under reports/data with the machine and the commit it was measured on.

Belongs here: that envelope and its file. Does not: measuring, or composing a report.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT / "reports" / "data"


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeats of one figure: median, least and most, in the unit of the figure."""

    median: float
    least: float
    most: float
    repeats: int


def spread(values: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Repeats as a plain mapping. ValueError when there are none."""
    if not values:
        raise ValueError("nothing was measured")
    figures = Spread(statistics.median(values), min(values), max(values), len(values))
    return {name: round(number, digits) for name, number in asdict(figures).items()}


def machine() -> dict[str, Any]:
    """What the figures were measured on: no host name, no path."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    kilobytes = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(kilobytes / 1024**2, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit the checkout stands at, marked where files differ from it; `unknown` outside a checkout.

    Reports are no part of what is measured: what an earlier measurement wrote there is no difference.
    """
    head = _git("rev-parse", "--short", "HEAD")
    return f"{head}{'+changes' if _git('status', '--porcelain', '--', '.', ':!reports') else ''}" if head else "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def keep(name: str, command: str, figures: Any, folder: Path = DATA) -> Path:
    """Write `<name>.json`; its path. command: what a reader types to measure again."""
    folder.mkdir(parents=True, exist_ok=True)
    envelope = {
        "name": name,
        "command": command,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "figures": figures,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(envelope, indent=2, ensure_ascii=False) + "\n")
    return path


def amend(name: str, command: str, figures: Any, folder: Path = DATA) -> Path:
    """Replace figures of a record that are part of a longer measurement: when and on which commit that was done stays."""
    earlier = load(name, folder)
    path = keep(name, command, figures, folder)
    if earlier:
        path.write_text(json.dumps(earlier | {"figures": figures}, indent=2, ensure_ascii=False) + "\n")
    return path


def load(name: str, folder: Path = DATA) -> dict[str, Any] | None:
    """The envelope of `<name>.json`, or None where it was not measured."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
