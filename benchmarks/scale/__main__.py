"""Run it: `python -m benchmarks.scale [PART ...]` (`make scale`).

Belongs here: the order of things, and the record. Does not: measuring, or the model that is made of it (`capacity`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import recording
from benchmarks.scale import capacity, lost_worker, partitions, throughput

_PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "lost_worker": lost_worker.measure,
    "throughput": throughput.measure,
    "partitions": partitions.measure,
    "ten_times_as_many": partitions.beyond_advice,
}


def main() -> None:
    """Print what was measured and keep it; exit code 1 if a promise was broken. Parts left out keep the figures they had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], help="which to measure; all without")
    chosen: list[str] = parser.parse_args().parts or list(_PARTS)
    earlier = recording.load("scale")
    figures: dict[str, Any] = earlier["figures"] if earlier else {}
    for name in chosen:
        print(f"{name} ...", flush=True)
        figures[name] = _PARTS[name]()
        print(json.dumps(figures[name], indent=2), flush=True)
        recording.keep("scale", "make scale", figures)
    if set(_PARTS) <= figures.keys():
        figures["capacity"] = capacity.model(figures)
        print(json.dumps(figures["capacity"], indent=2))
        recording.keep("scale", "make scale", figures)
    sys.exit(1 if figures.get("lost_worker", {}).get("broken") else 0)


if __name__ == "__main__":
    main()
