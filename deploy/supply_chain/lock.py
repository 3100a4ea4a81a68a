"""requirements.lock as records.

Belongs here: reading a lock, strictly. Does not: what is in the packages it names. Whatever is not a pinned, hashed distribution
(an address of an index, a URL, an option of pip) makes a lock unreadable here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+]+)(?: ; (?P<marker>[^\\]+?))?"
    r"(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
PYTHONS = ("3.11.0", "3.11.14", "3.12.0", "3.13.0")
"""Versions that stand for those the project runs on: markers tell 3.11.5 from what is older."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One distribution. name: normalized; marker: where it is installed, empty for everywhere; hashes: sha256, of its files."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    def on_linux(self) -> bool:
        """Whether any Python the project runs on installs it on Linux."""
        return not self.marker or any(Marker(self.marker).evaluate(place) for place in environments())


def read_lock(path: Path) -> list[Locked]:
    """Every distribution of a lock, in its order. Raises ValueError with the line that is none."""
    return [_locked(line) for line in _lines(path.read_text())]


def environments() -> list[dict[str, str]]:
    """Linux with each of PYTHONS, as markers are asked about them."""
    return [
        {
            "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64",
            "implementation_name": "cpython", "platform_python_implementation": "CPython",
            "python_full_version": version, "python_version": version.rpartition(".")[0],
        }
        for version in PYTHONS
    ]  # fmt: skip


def _lines(text: str) -> Iterator[str]:
    """Logical lines: those that end in a backslash go on in the next."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            yield " ".join(line.split())


def _locked(line: str) -> Locked:
    found = _PINNED.fullmatch(line)
    if found is None:
        raise ValueError(f"not a pinned distribution with sha256 hashes: {line[:80]}")
    hashes = tuple(part.rpartition(":")[2] for part in found["hashes"].split())
    return Locked(canonicalize_name(found["name"]), found["version"], (found["marker"] or "").strip(), hashes)
