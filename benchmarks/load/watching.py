"""What processes use, read from /proc: memory, descriptors, threads, and which of them belong to whom.

Belongs here: reading it and keeping peaks. Does not: what it should be (`judging`).
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType

MB = 1 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int, without: Collection[int] = ()) -> list[int]:
    """Processes started by this one, and by those, zombies included; `without`: left out with all they started."""
    children: dict[int, list[int]] = defaultdict(list)
    for child in _processes():
        with suppress(OSError):
            # The name, in brackets, may hold anything; the state and the parent follow it.
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            children[int(fields[1])].append(child)
    found, ahead = list[int](), [pid]
    while ahead:
        new = [child for child in children[ahead.pop()] if child not in without]
        found += new
        ahead += new
    return found


def naming(folder: Path) -> list[int]:
    """Processes whose command line names a path below `folder`, whoever is their parent by now."""
    wanted, found = os.fsencode(folder), list[int]()
    for pid in _processes():
        with suppress(OSError):
            if wanted in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def resident(pid: int) -> int:
    """Bytes of memory it has in use, pages shared with others included; 0 once it is gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def descriptors(pid: int) -> int:
    """How many files, sockets and pipes it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (the links' targets are not wanted)


def threads(pid: int) -> int:
    """How many threads it has."""
    return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


class Peaks:
    """The most each figure was while this context is open, from a thread that looks every `seconds`.

    look: the figures now, by name; one that fails to appear counts as it was.
    """

    def __init__(self, look: Callable[[], dict[str, float]], seconds: float) -> None:
        self._look, self._seconds = look, seconds
        self._most: dict[str, float] = {}
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peaks:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def take(self) -> dict[str, float]:
        """The peaks since they were last taken."""
        with self._lock:
            taken, self._most = self._most, {}
            return taken

    def _watch(self) -> None:
        while not self._ended.wait(self._seconds):
            for name, value in self._look().items():
                with self._lock:
                    self._most[name] = max(value, self._most.get(name, value))
