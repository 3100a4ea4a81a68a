"""A root folder that holds nothing but Python, its packages, system libraries and an empty scratch folder.

Belongs here: which paths those are, and building the root in a mount namespace. Does not: access rules by path (`landlock`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import tvdb_pipeline
from tvdb_pipeline.parsing.sandbox import kernel

SCRATCH_BYTES: Final = 512 << 20
_SYSTEM: Final = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/nix/store", "/etc/alternatives", "/sys/devices/system/cpu")
_FILES: Final = (
    "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
)  # fmt: skip
PROCESS_FILES: Final = ("/proc/cpuinfo", "/proc/meminfo")
"""What numerical libraries ask about the machine."""


def readable_paths() -> list[str]:
    """Folders and files the readers need, none below another: Python, its packages, this one, system libraries."""
    package = str(Path(tvdb_pipeline.__file__).parent)
    packages = [entry for entry in sys.path if entry.rstrip("/").endswith(("site-packages", "dist-packages"))]
    wanted = [*_SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *packages, package, *_FILES]
    found: list[str] = []
    for path in sorted({os.path.abspath(path) for path in wanted if path}, key=len):
        if os.path.exists(path) and not any(path.startswith(parent.rstrip("/") + "/") for parent in found):
            found.append(path)
    return found


def enter(scratch: str, paths: Sequence[str], *, own_processes: bool) -> None:
    """Make a new root with these paths, read-only, and an empty folder at `scratch`; everything else is out of reach.

    Wants a mount namespace of one's own. own_processes: in a PID namespace of one's own, whose /proc is mounted. Raises OSError,
    leaving the root as it was.
    """
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    size = f"size={SCRATCH_BYTES},nr_inodes=20000,mode=0755"
    kernel.mount("tmpfs", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, size)
    for path in paths:
        _bind(path, scratch + path)
    if not (own_processes and _mount_processes(scratch + "/proc")):
        for path in PROCESS_FILES:
            _bind(path, scratch + path)
    os.makedirs(scratch + scratch, mode=0o700)
    kernel.change_root(scratch)
    os.chdir(scratch)


def _bind(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(source):
        # /lib -> usr/lib: the link's own words, which mean the same inside.
        os.symlink(os.readlink(source), target)
        if not os.path.isabs(os.readlink(source)) or os.path.exists(target):
            return
        os.unlink(target)
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        Path(target).touch()
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)
    if not source.startswith("/dev/"):
        kernel.make_read_only(target)


def _mount_processes(target: str) -> bool:
    os.makedirs(target)
    with suppress(OSError):
        kernel.mount("proc", target, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        return True
    return False
