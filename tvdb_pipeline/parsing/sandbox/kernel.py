"""The Linux calls Python has no name for.

Belongs here: thin callers that raise OSError. Does not: any decision what to call. Numbers are those of the x86-64 and generic
(aarch64) system call tables of Linux 6; calls from number 424 on have one number on all machines.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from typing import Final

ON_X86: Final = platform.machine() == "x86_64"

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
_MNT_DETACH: Final = 2
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_PIVOT_ROOT: Final = 155 if ON_X86 else 41
_MOUNT_SETATTR: Final = 442
_CAPSET: Final = 126 if ON_X86 else 91
_CAPABILITY_VERSION_3: Final = 0x20080522
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: object) -> int:
    """A system call by its number."""
    return checked(_libc.syscall(number, *arguments))


def prctl(option: int, *arguments: object) -> int:
    """prctl(2)."""
    return checked(_libc.prctl(option, *arguments))


def checked(result: int) -> int:
    """`result`, or OSError where it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def unshare(flags: int) -> None:
    """unshare(2)."""
    checked(_libc.unshare(flags))


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2)."""
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    checked(_libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]))


def make_read_only(target: str) -> None:
    """Take writing, set-uid and devices from a mount and all mounts below it, whatever else they forbid already."""
    attributes = _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV
    record = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, ctypes.byref(record), ctypes.c_size_t(32))


def change_root(folder: str) -> None:
    """Make a mounted folder the root of this mount namespace and let go of the old one."""
    os.chdir(folder)
    syscall(_PIVOT_ROOT, b".", b".")
    checked(_libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")


def drop_capabilities() -> None:
    """Give up every capability, for this process and whatever it could run."""
    for number in range(64):
        try:
            prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
        except OSError:
            # Beyond the last one the kernel knows, or no right to shrink a set that is empty already.
            break
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    syscall(_CAPSET, ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def forbid_new_privileges() -> None:
    """No program run from here on gains rights; what landlock and seccomp ask for before they let themselves be used."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Be killed when the parent is gone. Forgotten by the kernel when the user changes: ask again after that."""
    prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def exit_at(number: int) -> None:
    """At this signal, leave with its number as exit code, whatever is being computed.

    The first process of a PID namespace is deaf to signals it has no handler for; one in Python waits for Python to go on.
    """
    _libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    _libc.signal.restype = ctypes.c_void_p
    _libc.signal(number, ctypes.cast(_libc._exit, ctypes.c_void_p))
