"""Whether what runs is what was tested.

Belongs here: Python, and the installed packages beside requirements.lock. Does not: the database's versions (`state`).
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.settings import project_root

PYTHONS = ((3, 11), (3, 14))
"""The first that will do, and the first that will not."""
_AREA = "versions"
_NAMED = ("dagster", "dagster-postgres", "pgvector", "openai")


def rows(lock: Path | None = None) -> Iterator[Finding]:
    """Python, our package with those that matter most, and all of the lock. lock: another one than the project's."""
    fit = PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]
    yield Finding(_AREA, "python", fit, f"{platform.python_version()}, 3.11 to 3.13 wanted")
    named = ", ".join(f"{name} {_installed(name) or 'missing'}" for name in _NAMED)
    yield Finding(
        _AREA, "packages", all(map(_installed, _NAMED)), f"tvdb_pipeline {_installed('tvdb_pipeline')}, {named}"
    )
    lock = lock or project_root() / "requirements.lock"
    if not lock.is_file():
        yield not_needed(_AREA, "lock", "installed without requirements.lock")
        return
    wanted = _locked(lock.read_text())
    other = [
        f"{name} {_installed(name) or 'missing'} for {stated}" for name, stated in wanted if _installed(name) != stated
    ]
    evidence = f"{len(other)} of {len(wanted)} packages are not those of the lock: {', '.join(other[:3])}" if other else (
        f"all {len(wanted)} packages as in requirements.lock"
    )  # fmt: skip
    yield Finding(_AREA, "lock", not other, evidence)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _locked(text: str) -> list[tuple[str, str]]:
    """Names and versions that are for this Python and platform."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line[:1].isspace() or "==" not in line:
            continue
        try:
            stated = Requirement(line.rstrip(" \\"))
        except InvalidRequirement:
            continue
        if stated.marker is None or stated.marker.evaluate():
            found.append((stated.name, next(iter(stated.specifier)).version))
    return found
