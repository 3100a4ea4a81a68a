"""Answers on disk from their first byte until their vectors are in the database.

Belongs here: writing such a slip, and finding those of processes that were killed. Does not: reading the vectors (`answers`) or
booking them. What was paid for is kept the moment it arrives, whatever becomes of this process or of the database.

A slip holds one line of JSON and then the body as it came. Its writer holds a lock on it, which the system lets go of when the
process ends in whatever way: a slip that can be locked has been left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


@dataclass(frozen=True, slots=True)
class Label:
    """What an answer is to: the reservation (key and attempt), model, owner of the text claims, hashes of the texts in order."""

    request_key: str
    attempt: int
    model: str
    owner: str
    hashes: Sequence[str]


class Slip:
    """One answer being kept. A disk that is full costs this safety, never the answer; then `descriptor` is None."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    def write(self, piece: bytes) -> None:
        """Keep a piece of the answer."""
        if self._descriptor is not None:
            try:
                while piece:
                    piece = piece[os.write(self._descriptor, piece) :]
            except OSError:
                self.drop()

    def drop(self) -> None:
        """The answer is safe, or worth nothing: remove the slip."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            self.leave()

    def leave(self) -> None:
        """Stop writing and leave the slip to be found."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Slips:
    """The slips of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, label: Label) -> Slip:
        """A new slip for the answer to one attempt."""
        path = self._folder / f"{label.request_key}-{label.attempt}.slip"
        descriptor: int | None = None
        with suppress(OSError):
            path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            while descriptor is None:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.fstat(descriptor).st_nlink == 0:  # taken for one left behind, before it was locked
                    os.close(descriptor)
                    descriptor = None
        slip = Slip(path, descriptor)
        slip.write(json.dumps(asdict(label)).encode() + b"\n")
        return slip

    def left_behind(self) -> Iterator[tuple[Label, bytes, Slip]]:
        """Each slip whose writer is gone, with what there is of its body; the caller drops it or leaves it."""
        for path in sorted(self._folder.glob("*.slip")):
            with _taken(path) as slip:
                if slip is None:
                    continue
                first, _, body = path.read_bytes().partition(b"\n")
                try:
                    label = Label(**json.loads(first))
                except (ValueError, TypeError):
                    slip.drop()  # killed before its first line was written
                    continue
                yield label, body, slip


@contextmanager
def _taken(path: Path) -> Generator[Slip | None]:
    """The slip, locked by us; None where its writer is at work or somebody was quicker."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        gone = os.fstat(descriptor).st_nlink == 0
    except OSError:
        gone = True
    if gone:
        os.close(descriptor)
        yield None
        return
    slip = Slip(path, descriptor)
    try:
        yield slip
    finally:
        slip.leave()
