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
_SYSTEM: Final = (
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/lib32",
    "/nix/store",
    "/etc/alternatives",
    "/sys/devices/system/cpu",
)
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
    found: list[Path] = []
    # Names stay as they are: a link is followed inside as it is outside.
    for path in sorted({Path(path).absolute() for path in wanted if path}, key=lambda path: len(path.parts)):
        if path.exists() and not any(path.is_relative_to(parent) for parent in found):
            found.append(path)
    return [str(path) for path in found]


def enter(scratch: str, paths: Sequence[str], *, own_processes: bool) -> None:
    """Make a new root with these paths, read-only, and an empty folder at `scratch`; everything else is out of reach.

    Wants a mount namespace of one's own. own_processes: in a PID namespace of one's own, whose /proc is mounted. Raises OSError,
    leaving the root as it was.
    """
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    size = f"size={SCRATCH_BYTES},nr_inodes=20000,mode=0755"
    kernel.mount("tmpfs", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, size)
    root = Path(scratch)
    for path in paths:
        _bind(path, root / path.lstrip("/"))
    if not (own_processes and _mount_processes(root / "proc")):
        for path in PROCESS_FILES:
            _bind(path, root / path.lstrip("/"))
    inside = root / scratch.lstrip("/")
    inside.mkdir(parents=True)
    inside.chmod(0o700)
    kernel.change_root(scratch)
    os.chdir(scratch)


def _bind(source: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path = Path(source)
    if path.is_symlink() and not path.readlink().is_absolute():
        # /lib -> usr/lib means the same inside.
        target.symlink_to(path.readlink())
        return
    if path.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    kernel.mount(source, str(target), None, kernel.MS_BIND | kernel.MS_REC)
    if not source.startswith("/dev/"):
        kernel.make_read_only(str(target))


def _mount_processes(target: Path) -> bool:
    target.mkdir(parents=True)
    with suppress(OSError):
        kernel.mount("proc", str(target), "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        return True
    return False
