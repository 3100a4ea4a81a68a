"""The processes of a deployment, found by what they run, and their end.

Belongs here: finding and killing. Does not: when, or what should come of it. Only descendants of the supervisor that was started
here and the server of this database are ever touched.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

Part = Literal["daemon", "code-server", "run-worker", "database"]
PARTS: tuple[Part, ...] = ("daemon", "code-server", "run-worker", "database")


def find(part: Part, supervisor: int, home: Path) -> list[int]:
    """Process ids of this part, oldest first; nothing where none runs now. home: the folder of the embedded server."""
    if part == "database":
        with suppress(OSError, ValueError, IndexError):
            return [int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])]
        return []
    return [pid for pid in sorted(_descendants(supervisor)) if _part_of(_command(pid)) == part]


def kill(pid: int) -> bool:
    """SIGKILL; whether there was something to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _part_of(command: str) -> Part | None:
    if "execute_run" in command:
        return "run-worker"
    if "spawn_main" in command and "multiprocessing" in command:
        # A code server runs each run in a process forked for it.
        return "run-worker"
    if "api grpc" in command:
        return "code-server"
    return "daemon" if "orchestration.daemon run" in command else None


def _descendants(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            yield child
            waiting.append(child)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
