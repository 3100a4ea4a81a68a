"""One process and all it starts: in a clean environment, for a limited time, with what it used.

Belongs here: starting, watching and ending it. Does not: what it is asked, or what it answers.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_KEPT = ("HOME", "LANG", "PATH", "TMPDIR")
_QUIET = {
    "ANONYMIZED_TELEMETRY": "false",
    "COCOINDEX_DISABLE_USAGE_TRACKING": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGSMITH_TRACING": "false",
    # litellm would fetch its table of prices at import.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "SCARF_NO_ANALYTICS": "true",
}
_LOOK_SECONDS, _WEIGH_SECONDS = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. exit_code: None when it ran out of time; negative: the signal that ended it.

    cpu_seconds: of it and of all it waited for; peak_tree_mb: resident memory of all its processes together, looked at
    twice a second; what they share counts once.
    """

    exit_code: int | None
    output: str
    errors: str
    wall_seconds: float
    cpu_seconds: float
    peak_tree_mb: float


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours but home, path and language; telemetry off; and `variables`."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | _QUIET | dict(variables)


def call(command: Sequence[str], variables: Mapping[str, str], timeout: float) -> Ended:
    """Run it to its end, or to `timeout` seconds. Nothing it started is left running."""
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        tempfile.TemporaryDirectory() as folder,
    ):
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=environment(variables), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        exit_code, used, peak = _watch(process, began + timeout)
        wall = time.monotonic() - began
        return Ended(
            exit_code, _text(output), _text(errors), wall, used.ru_utime + used.ru_stime, round(peak / 1024, 1)
        )


def _watch(process: subprocess.Popen[bytes], until: float) -> tuple[int | None, resource.struct_rusage, int]:
    peak, weighed, in_time = 0, 0.0, True
    try:
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            now = time.monotonic()
            if now >= weighed + _WEIGH_SECONDS:
                peak, weighed = max(peak, _resident(process.pid)), now
            if in_time and now >= until:
                in_time = False
                _end(process.pid)
            time.sleep(_LOOK_SECONDS)
    except BaseException:
        _end(process.pid)
        process.wait()
        raise
    # What it started and did not wait for belongs to its session still.
    _end(process.pid)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode if in_time else None, used, peak


def _end(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _resident(session: int) -> int:
    """Kilobytes of all processes of the session, a page that several of them share counted in parts."""
    kilobytes = 0
    for process in Path("/proc").glob("[0-9]*"):
        # One that has ended meanwhile weighs nothing.
        with suppress(OSError, IndexError, StopIteration):
            # The name, in brackets, may hold spaces. After it come state, parent, group and session.
            if int((process / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                lines = (process / "smaps_rollup").read_text().splitlines()
                kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
