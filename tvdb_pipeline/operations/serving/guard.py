"""Ends process groups whose keeper is gone, however it went.

Belongs here: a process that hears of groups on its standard input and kills what is left of them when that closes, which the
kernel sees to. Does not: anything else; it is run as a file, with the standard library only, to be small and never in the way.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

GRACE_SECONDS = 5.0


def main() -> None:
    """Lines `+GROUP` and `-GROUP` until the end of input; then the groups told of and not taken back are ended."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    end(groups)


def end(groups: set[int]) -> None:
    """Ask every group to end, and after a while make it."""
    left = {group for group in groups if signalled(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if signalled(group, 0)}
    for group in left:
        signalled(group, signal.SIGKILL)


def signalled(group: int, number: int) -> bool:
    """Send a signal to a process group (0 only asks); whether there is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
