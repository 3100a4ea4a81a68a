"""What a hostile file is: its name, its bytes, and the ends it may come to.

Belongs here: that record, and sets of ends. Does not: any file (one module for each family), or the list of all (`catalogue`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

Make = Callable[[str], bytes]
"""The bytes; given a URL on this machine that nobody may fetch."""

READ: Final = frozenset({"ready", "partial"})
"""Its text is there, or named pages of it are missing."""
TEXTLESS: Final = frozenset({"no_text", "unreadable"})


@dataclass(frozen=True, slots=True)
class Case:
    """A file. name: what it is called when dropped in; ends: states (`ready`, `partial`) and codes it may end in."""

    family: str
    name: str
    ends: frozenset[str]
    make: Make


class Family:
    """Collects the cases of one family: `@family.case("name.pdf", "corrupt")` above the function that makes the bytes."""

    def __init__(self, name: str) -> None:
        self.name, self._cases = name, list[Case]()

    def case(self, name: str, *ends: str | frozenset[str]) -> Callable[[Make], Make]:
        """Register a function as the maker of a file."""

        def register(make: Make) -> Make:
            self.add(name, make, *ends)
            return make

        return register

    def add(self, name: str, make: Make, *ends: str | frozenset[str]) -> None:
        """Register a file."""
        allowed = frozenset(end for given in ends for end in ([given] if isinstance(given, str) else given))
        self._cases.append(Case(self.name, name, allowed, make))

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases)
