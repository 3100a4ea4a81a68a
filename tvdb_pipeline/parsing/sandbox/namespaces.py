"""Own namespaces: no network, no view of other processes, mounts of one's own.

Belongs here: entering them, as root or through a user namespace. Does not: what is mounted (`jail`) or the user (`privileges`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from tvdb_pipeline.parsing.sandbox import kernel

MOUNT, UTS, IPC, USER, PID, NETWORK = 0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_WANTED: Final = (NETWORK, PID, MOUNT, IPC, UTS)


def enter() -> int:
    """Enter as many as the system allows; their flags, 0 for none. PID counts for children only: see `continue_as_child`."""
    every = sum(_WANTED)
    with suppress(OSError):
        kernel.unshare(every)
        return every
    uid, gid = os.geteuid(), os.getegid()
    with suppress(OSError):
        kernel.unshare(USER | every)
        # Without this order a kernel refuses the mapping of groups to those who are not root.
        with suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        return USER | every
    entered = 0
    for flag in _WANTED:
        with suppress(OSError):
            kernel.unshare(flag)
            entered |= flag
    return entered


def continue_as_child() -> None:
    """Go on as first process of the new PID namespace; what stays behind only waits for it and ends as it ends.

    Whatever runs in the namespace is killed with its first process, and that one with the process that waits.
    """
    child = os.fork()
    if child:
        # The pipes and the socket are the child's: whoever reads them must see them close when it ends.
        os.closerange(0, 1024)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    kernel.die_with_parent()
