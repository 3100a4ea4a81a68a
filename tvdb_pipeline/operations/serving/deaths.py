"""What a supervisor tells the watcher: which of its parts died, how often, and whether they are back.

Belongs here: a small file a part under TVDB_HOME. Does not: the parts' lives (`child`), or telling people (`operations.alerts`).
Not in the database: it may be the database that is gone, and the parts with it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tvdb_pipeline.privacy.modes import private_folder


@dataclass(frozen=True, slots=True)
class Death:
    """The last one of a part. number: how many there were since the supervisor began; how: signal or exit code, in words."""

    part: str
    number: int
    how: str
    back: bool


class Deaths:
    """Written by one supervisor, which begins with none. home: TVDB_HOME."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "parts"
        private_folder(self._folder)
        for file in self._folder.glob("*.json"):
            file.unlink()
        self._numbers: dict[str, int] = {}
        self._down: dict[str, Death] = {}

    def died(self, part: str, how: str) -> None:
        """Another death."""
        self._numbers[part] = self._numbers.get(part, 0) + 1
        self._down[part] = Death(part, self._numbers[part], how, back=False)
        self._write(self._down[part])

    def is_down(self, part: str) -> bool:
        """Whether it died and is not back."""
        return part in self._down

    def back(self, part: str) -> None:
        """It answers again."""
        death = self._down.pop(part)
        self._write(Death(part, death.number, death.how, back=True))

    def _write(self, death: Death) -> None:
        # A disk that is full must not end the supervisor.
        with suppress(OSError):
            file = self._folder / f"{death.part}.json"
            partial = file.with_suffix(".tmp")
            partial.write_text(json.dumps(asdict(death)))
            partial.replace(file)


def read(home: Path) -> list[Death]:
    """The last death of each part that ever died under the supervisor that runs, or ran last."""
    found: list[Death] = []
    for file in sorted((home / "parts").glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            found.append(Death(**json.loads(file.read_text())))
    return found
