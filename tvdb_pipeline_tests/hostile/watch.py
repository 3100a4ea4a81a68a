"""What must not happen around the pipeline while it reads hostile files: files written, connections made, processes left.

Belongs here: looking before and after. Does not: running the pipeline (`run`).
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Collection
from pathlib import Path

_OURS = ("tvdb-", "pytest-", "bash_jobs")


class Beacon:
    """A port of this machine whose URL is planted in the files. calls: connections it got. Close it after use."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.calls = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._count, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()


class Canary:
    """The names in the folders somebody might write to: those given, the temporary one, home, and the working one."""

    def __init__(self, *folders: Path) -> None:
        self._folders = [*folders, Path(tempfile.gettempdir()), Path.home(), Path.cwd(), Path("/etc"), Path("/")]
        self._before = self._names()

    def new(self) -> list[str]:
        """What is there now and was not before, but for what the pipeline itself makes and takes away."""
        return sorted(path for path in self._names() - self._before if not Path(path).name.startswith(_OURS))

    def _names(self) -> set[str]:
        return {entry.path for folder in self._folders if folder.is_dir() for entry in os.scandir(folder)}


def escaped() -> list[str]:
    """Files whose name says that they got out of an archive or a message."""
    roots = [
        Path("/tmp"),
        Path(tempfile.gettempdir()),
        Path.home(),
        Path.cwd(),
        Path.cwd().parent,
        Path("/etc"),
        Path("/etc/cron.d"),
        Path("/"),
    ]
    return [str(path) for root in roots if root.is_dir() for path in root.glob("*tvdb-escaped*")]


def descendants(of: int) -> set[int]:
    """Processes below one, by their parents' numbers, without those of the database."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if b"postgres" in (folder / "cmdline").read_bytes():
                    continue
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    found, last = {of}, 0
    while len(found) != last:
        last = len(found)
        found |= {process for process, parent in parents.items() if parent in found}
    return found - {of}


def parsers_left() -> set[int]:
    """Parsing processes of anybody whose parent is gone."""
    found: set[int] = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if b"tvdb_pipeline.parsing.worker" in line and parent == 1:
                found.add(int(folder.name))
    return found


def remote_ends(allowed: Collection[int] = ()) -> set[str]:
    """Connections of this machine to others, as /proc/net shows them: `address:port` in hex."""
    found: set[str] = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        table = Path("/proc/net") / name
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            there = line.split()[2]
            address, _, port = there.partition(":")
            local = address.endswith(("0100007F", "00000000", "01000000"))
            if not local and int(port, 16) not in allowed:
                found.add(there)
    return found
