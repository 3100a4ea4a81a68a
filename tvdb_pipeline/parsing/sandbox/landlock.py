"""Landlock: the kernel's own list of paths a process may touch, and no TCP.

Belongs here: building and entering one ruleset. Does not: which paths (`jail`). See landlock(7); constants from linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tvdb_pipeline.parsing.sandbox import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_EVERY_RIGHT: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_EVERY_RIGHT_SINCE_5: Final = (1 << 16) - 1
_BIND_AND_CONNECT_TCP: Final = 3
_ABSTRACT_SOCKETS_AND_SIGNALS: Final = 3
_FILE_RIGHTS: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """The version of landlock this kernel offers, 0 for none."""
    try:
        return kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    except OSError:
        return 0


def enter(scratch: str, paths: Sequence[str]) -> None:
    """From here on: read and execute below `paths`, everything below `scratch`, nothing elsewhere, no TCP.

    Wants `forbid_new_privileges`. Raises OSError.
    """
    known = version()
    every = _EVERY_RIGHT.get(known, _EVERY_RIGHT_SINCE_5)
    wanted = [every]
    if known >= 4:
        wanted.append(_BIND_AND_CONNECT_TCP)
    if known >= 6:
        wanted.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    record = (ctypes.c_uint64 * len(wanted))(*wanted)
    ruleset = kernel.syscall(_CREATE_RULESET, ctypes.byref(record), ctypes.c_size_t(8 * len(wanted)), 0)
    try:
        for path in paths:
            writing = _WRITE_FILE if path == os.devnull else 0
            _allow(ruleset, path, _EXECUTE | _READ_FILE | _READ_DIR | writing, every)
        _allow(ruleset, scratch, every, every)
        kernel.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int, every: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights &= every if Path(path).is_dir() else every & _FILE_RIGHTS
        rule = _PathBeneath(rights, descriptor)
        kernel.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
