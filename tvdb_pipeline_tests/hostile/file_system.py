"""Things in a folder that are no files, though they are called as if they were.

Belongs here: links, pipes, sockets, folders. Does not: files (`catalogue`).
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def put_strange_things(folder: Path) -> list[str]:
    """Put them there; their names. None of them may become a document."""
    before_all = {entry.name for entry in folder.iterdir()}
    (folder / "link-to-passwd.txt").symlink_to("/etc/passwd")
    (folder / "link-to-itself.pdf").symlink_to(folder / "link-to-itself.pdf")
    (folder / "link-to-nothing.pdf").symlink_to(folder / "nothing")
    (folder / "link-to-memory.pdf").symlink_to("/dev/zero")
    (folder / "link-to-folder.pdf").symlink_to("/etc", target_is_directory=True)
    (folder / "link-to-here").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.pdf")
    (folder / "folder.pdf").mkdir()
    (folder / ".hidden.pdf").write_bytes(b"%PDF-1.7")
    (folder / "half.pdf.part").write_bytes(b"%PDF-1.7")
    with socket.socket(socket.AF_UNIX) as listening:
        # A path of a socket may be 107 bytes long: bound from within.
        before = Path.cwd()
        os.chdir(folder)
        try:
            listening.bind("socket.pdf")
        finally:
            os.chdir(before)
    return [entry.name for entry in folder.iterdir() if entry.name not in before_all]
