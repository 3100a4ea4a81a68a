"""All measures one after another, and an account of which are in force.

Belongs here: their order. Does not: how each works. A system that refuses one (a container without user namespaces, an old
kernel) still gets the others.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tvdb_pipeline.parsing.sandbox import jail, kernel, landlock, limits, namespaces, privileges, seccomp


@dataclass(frozen=True, slots=True)
class Measure:
    """One protection: whether it is in force, and with what, or why not."""

    name: str
    in_force: bool
    detail: str


def confine(scratch: str, memory_mb: int, *, may_execute: bool) -> list[Measure]:
    """Give up all this process does not need to decode documents. It may go on as another process (see `namespaces`).

    scratch: an empty folder of its own, which becomes its working folder; may_execute: an external OCR command must be run.
    """
    limits.limit_memory(memory_mb)
    # The folders of the new root are for the other user, too, whatever our own user keeps for himself.
    os.umask(0o022)
    paths, number = jail.readable_paths(), os.getpid()
    entered = namespaces.enter()
    if entered & namespaces.PID:
        namespaces.continue_as_child()
    measures = [
        Measure("memory", True, f"{memory_mb} MB of address space, {limits.FILE_BYTES >> 20} MB a file"),
        _space("network", entered & namespaces.NETWORK, "a network of its own without any interface"),
        _space("processes", entered & namespaces.PID, "sees and signals no process but its own"),
        _jail(scratch, paths, entered),
        _user(scratch, paths, number, ours=bool(entered & namespaces.USER), may_execute=may_execute),
        _rights(),
        _landlock(scratch, paths),
        _seccomp(may_execute),
    ]
    os.umask(0o077)
    kernel.die_with_parent()
    return measures


def _space(name: str, entered: int, what: str) -> Measure:
    return Measure(name, bool(entered), what if entered else "the system gives no namespace for it")


def _jail(scratch: str, paths: list[str], entered: int) -> Measure:
    try:
        if not entered & namespaces.MOUNT:
            raise OSError(1, "no mount namespace")
        jail.enter(scratch, paths, own_processes=bool(entered & namespaces.PID))
    except OSError as error:
        os.chdir(scratch)
        return Measure("file system", False, f"no root of its own (errno {error.errno})")
    return Measure("file system", True, "a root of its own: libraries read-only, an empty scratch folder in memory")


def _user(scratch: str, paths: list[str], number: int, *, ours: bool, may_execute: bool) -> Measure:
    was_root = os.geteuid() == 0
    reason = privileges.leave_root(scratch, paths, number)
    if (was_root and reason is None) or ours:
        # Only where this user has no processes but ours: the limit counts them all.
        limits.limit_processes(limits.PROCESSES if may_execute else limits.THREADS)
    return Measure("user", reason is None, f"user {os.geteuid()}" if reason is None else f"stays root: {reason}")


def _rights() -> Measure:
    try:
        privileges.give_up_rights()
    except OSError as error:
        return Measure("privileges", False, f"could not be given up (errno {error.errno})")
    return Measure("privileges", True, "no capabilities, none to gain")


def _landlock(scratch: str, paths: list[str]) -> Measure:
    try:
        # Not the /proc of others, as it is where no root of one's own could be made.
        seen = "/proc" if os.getpid() == 1 and str(Path("/proc/self").readlink()) == "1" else "/proc/self"
        landlock.enter(scratch, [*paths, *jail.PROCESS_FILES, seen])
    except OSError as error:
        return Measure("paths", False, f"landlock is not to be had (errno {error.errno})")
    return Measure("paths", True, f"landlock {landlock.version()}: reads libraries, writes its scratch folder")


def _seccomp(may_execute: bool) -> Measure:
    try:
        seccomp.enter(may_execute=may_execute)
    except (OSError, NotImplementedError) as error:
        return Measure("system calls", False, f"no filter ({error})")
    what = "no sockets, mounts, signals, tracing" + ("" if may_execute else ", no new processes")
    return Measure("system calls", True, what)
