"""What this machine says: disks, memory, and whether the parts expected here take connections.

Belongs here: asking it. Does not: the database (`measuring`), or judging (`rules`).
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from tvdb_pipeline.operations.alerts.facts import Level
from tvdb_pipeline.operations.serving.deaths import Death, read
from tvdb_pipeline.settings import Settings

Part = Literal["webserver", "code-server", "daemon"]
PARTS: Final[tuple[Part, ...]] = ("webserver", "code-server", "daemon")
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
_CONNECT_SECONDS = 3.0
_CGROUP = Path("/sys/fs/cgroup")


def host() -> str:
    """What this machine calls itself."""
    return socket.gethostname()


def disks(settings: Settings) -> dict[str, Level]:
    """Bytes used of the disks that TVDB_HOME and TVDB_UPLOAD_DIR lie on; one entry where it is the same disk."""
    found: dict[str, Level] = {}
    seen: set[int] = set()
    for name, folder in (("TVDB_HOME", settings.home), ("TVDB_UPLOAD_DIR", settings.upload_dir)):
        with suppress(OSError):
            place = _existing(folder)
            device = place.stat().st_dev
            if device not in seen:
                seen.add(device)
                usage = shutil.disk_usage(place)
                found[name] = Level(usage.total - usage.free, usage.total)
    return found


def memory(meminfo: Path = Path("/proc/meminfo"), group: Path = _CGROUP) -> Level | None:
    """Bytes of memory in use of this machine, or of the container it is, whichever is nearer to its limit."""
    levels: list[Level] = []
    with suppress(OSError, ValueError, KeyError):
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        total, free = (int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))
        levels.append(Level(total - free, total))
    # Of version 2; without a limit the file says `max`.
    with suppress(OSError, ValueError, KeyError):
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        limit = int((group / "memory.max").read_text())
        # Pages of files not used lately are given back when memory is asked for.
        levels.append(Level(int((group / "memory.current").read_text()) - int(stat["inactive_file"]), limit))
    return max(levels, key=lambda level: level.share, default=None)


class Parts:
    """The servers expected here, and since when each has not answered."""

    def __init__(self, settings: Settings, expected: Collection[Part]) -> None:
        places: dict[Part, tuple[str, int]] = {
            "webserver": (settings.webserver_host, settings.webserver_port),
            "code-server": ("127.0.0.1", settings.code_server_port),
        }
        self._places: dict[Part, tuple[str, int]] = {part: at for part, at in places.items() if part in expected}
        self._since: dict[Part, float] = {}

    def silent(self) -> dict[str, float] | None:
        """Try each; for how many seconds those that do not answer have not. None where none is expected."""
        if not self._places:
            return None
        for part, (name, port) in self._places.items():
            if answers(_ANYWHERE.get(name, name), port):
                self._since.pop(part, None)
            else:
                self._since.setdefault(part, time.monotonic())
        return {part: time.monotonic() - since for part, since in self._since.items()}


class Dying:
    """The parts of this machine's supervisor that died. home: TVDB_HOME."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen = {death.part: death.number for death in read(home)}

    def now(self) -> list[Death]:
        """Those that are down, and those that died since this was last asked, however soon they were back."""
        found = [death for death in read(self._home) if not death.back or death.number != self._seen.get(death.part)]
        self._seen |= {death.part: death.number for death in found}
        return found


def answers(name: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((name, port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
