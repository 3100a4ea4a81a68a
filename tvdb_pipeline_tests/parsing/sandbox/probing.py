"""Running code that confines itself, as this user or another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import tvdb_pipeline

ROOT = Path(tvdb_pipeline.__file__).parents[1]
ORDINARY = 1500
SCRIPT = """import ctypes, json, os, resource, signal, sys, threading, time
from tvdb_pipeline.parsing.sandbox import kernel, limits
from tvdb_pipeline.parsing.sandbox.confinement import confine
for measure in confine(sys.argv[1], 2048, may_execute=sys.argv[2] == "execute"): pass
"""


def environment(interpreter: str) -> dict[str, str]:
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    path = [str(ROOT), *(packages if interpreter != sys.executable else [])]
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(path), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}


def interpreter_of_an_ordinary_user() -> str | None:
    """A Python with our packages that the ordinary user can run; None where there is none."""
    if os.geteuid() != 0:
        return sys.executable
    for interpreter in (sys.executable, "/usr/bin/python3"):
        try:
            found = subprocess.run(
                [interpreter, "-P", "-c", "import tvdb_pipeline.parsing.lines, numpy.linalg"],
                env=environment(interpreter),
                cwd="/",
                capture_output=True,
                **ordinary(),
            )
        except OSError:
            continue
        if found.returncode == 0:
            return interpreter
    return None


def ordinary() -> dict[str, Any]:
    """Arguments of subprocess that make a process one of the ordinary user, where this one is root."""
    return {"user": ORDINARY, "group": ORDINARY, "extra_groups": []} if os.geteuid() == 0 else {}


def run_confined(code: str, scratch: Path, *, execute: bool = False) -> subprocess.CompletedProcess[str]:
    """Confine a process, then run that code in it."""
    return subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT + code, str(scratch), "execute" if execute else "-"],
        env=environment(sys.executable),
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=60,
    )


def try_everything(request: dict[str, Any], interpreter: str = sys.executable, **options: Any) -> dict[str, Any]:
    """What `attempts` tells."""
    source = Path(__file__).with_name("attempts.py").read_text()
    told = subprocess.run(
        [interpreter, "-P", "-c", source, json.dumps(request)],
        env=environment(interpreter),
        cwd=request["scratch"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)
