"""Resource limits (setrlimit) of a parsing process.

Belongs here: the figures and setting them. Does not: wall-clock time, which only somebody outside can keep (`parsing.pool`).
"""

from __future__ import annotations

import resource
import signal
from typing import Final

from tvdb_pipeline.parsing.sandbox import kernel

FILE_BYTES: Final = 256 << 20
"""Of a file written to the scratch folder: larger than any temporary copy the readers make of a document of 200 MB."""
OPEN_FILES: Final = 256
PROCESSES, THREADS = 64, 512
"""Together, where an external OCR command has to be run; elsewhere no process can be started at all, and these are threads."""


def limit_memory(megabytes: int) -> None:
    """Cap the address space, and what a crash or a temporary file may take of the disk."""
    _cap(resource.RLIMIT_AS, megabytes << 20)
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_FSIZE, FILE_BYTES)
    _cap(resource.RLIMIT_NOFILE, OPEN_FILES)


def limit_processes(most: int) -> None:
    """Cap the number of processes and threads of this user."""
    _cap(resource.RLIMIT_NPROC, most)


def allow_cpu(seconds: float) -> None:
    """Let this process use so many more seconds of processor time; beyond, it ends (SIGXCPU as exit code)."""
    kernel.exit_at(signal.SIGXCPU)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def _cap(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))
