"""The test suite as a measurement: how many tests of each file passed: `python -m benchmarks.suite [PATH...]`.

Belongs here: running pytest and counting. Does not: any test. The record `suite` is kept only of the whole suite.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks import recording

_PYTEST = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-q", "--tb=short", "-p", "no:cacheprovider")
_ENDS = ("passed", "failed", "skipped")


def counted(report: str) -> dict[str, Any]:
    """A JUnit report of pytest as figures: sums, and a row for each file of tests."""
    rows: dict[str, dict[str, Any]] = {}
    for case in ElementTree.fromstring(report).iter("testcase"):
        file = _file(str(case.get("classname")))
        row = rows.setdefault(file, {"file": file} | dict.fromkeys(_ENDS, 0) | {"seconds": 0.0})
        row[_end({child.tag for child in case})] += 1
        row["seconds"] = round(row["seconds"] + float(case.get("time") or 0), 2)
    sums = {end: sum(row[end] for row in rows.values()) for end in _ENDS}
    return sums | {"rows": [rows[file] for file in sorted(rows)]}


def _file(module: str) -> str:
    """The file of a module's name, which may end in the name of a class."""
    parts = module.split(".")
    while len(parts) > 1 and not parts[-1].startswith("test_"):
        parts.pop()
    return f"{'/'.join(parts)}.py"


def _end(tags: set[str]) -> str:
    return "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"


def _told(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{figures[end]} {end}" for end in _ENDS)


def main() -> None:
    """Run, count, keep; pytest's own exit code."""
    paths, started = sys.argv[1:], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tvdb-suite-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *_PYTEST, f"--junitxml={report}", *paths]
        code = subprocess.run(command, cwd=recording.ROOT, check=False).returncode
        figures = {"seconds": round(time.monotonic() - started, 1)} | counted(report.read_text())
    print(_told(figures))
    if not paths:
        recording.keep("suite", "python -m benchmarks.suite", figures)
    sys.exit(code)


if __name__ == "__main__":
    main()
