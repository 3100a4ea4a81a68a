"""Which of the locked distributions the default install needs.

Belongs here: following requirements from pyproject.toml through installed metadata. Does not: what is only for development.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.supply_chain.lock import environments


def default_install(pyproject: Path, installed: Mapping[str, Distribution]) -> set[str]:
    """Normalized names of what `pip install tvdb_pipeline` brings to Linux, on any Python the project runs on."""
    with pyproject.open("rb") as file:
        wanted: list[str] = tomllib.load(file)["project"]["dependencies"]
    reached: set[tuple[str, str]] = set()
    waiting = [pair for line in wanted for pair in _asked(line, "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in reached:
            reached.add((name, extra))
            waiting += _needs(installed[name].requires or [], extra) if name in installed else []
    return {name for name, _ in reached}


def _needs(lines: Iterable[str], extra: str) -> list[tuple[str, str]]:
    return [pair for line in lines for pair in _asked(line, extra)]


def _asked(line: str, extra: str) -> list[tuple[str, str]]:
    """(name, extra) pairs one requirement asks for, where it applies; the extra is empty for the distribution itself."""
    requirement = Requirement(line)
    marker = requirement.marker
    if marker is not None and not any(marker.evaluate({**place, "extra": extra}) for place in environments()):
        return []
    name = canonicalize_name(requirement.name)
    return [(name, ""), *((name, wanted) for wanted in sorted(requirement.extras))]
