"""`tvdb` commands one after another in one process, which can be killed on the way: an import of Dagster for many commands.

Belongs here: that process (run as a module) and its caller's side. Does not: what is asked of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

CHECKOUT = Path(__file__).parents[1]


class Driven:
    """Use as a context manager. variables: its whole environment; said: folder that gets `<number>-<name>.out` and `.err`."""

    def __init__(self, variables: Mapping[str, str], said: Path) -> None:
        self._said, self._number = said, len(list(said.glob("*.out")))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tvdb_pipeline_tests.driven"],
            env=dict(variables), cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Driven:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def run(self, *arguments: str, kill_at: str = "", kill_parser: str = "") -> tuple[int, str]:
        """A command's exit code and its stdout. kill_at: a waypoint at which the process ends by SIGKILL, code -9.

        kill_parser: a file; the first parsing process is killed, its command line and environment having been written there.
        """
        return self._ask(arguments[0], {"arguments": arguments, "kill_at": kill_at, "kill_parser": kill_parser})

    def job(self, keys: Sequence[str]) -> int:
        """Dagster's job over these keys, with all Dagster has to say on stderr; 0 where it succeeded."""
        return self._ask("job", {"keys": list(keys)})[0]

    def report(self, folder: Path) -> int:
        """What `tvdb report --check` writes, in a folder of its own; 0."""
        return self._ask("report", {"reports": str(folder)})[0]

    def _ask(self, name: str, asked: dict[str, Any]) -> tuple[int, str]:
        self._number += 1
        out, err = (self._said / f"{self._number:02}-{name}.{kind}" for kind in ("out", "err"))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked | {"out": str(out), "err": str(err)}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        code = int(answer) if answer else self._process.wait(60)
        return code, out.read_text()


def main() -> None:
    """Answer each line with an exit code."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        asked = json.loads(line)
        for number, name in ((1, "out"), (2, "err")):
            file = os.open(asked[name], os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(file, number)
            os.close(file)
        code = _done(asked)
        sys.stdout.flush()
        sys.stderr.flush()
        print(code, file=answers, flush=True)


def _done(asked: dict[str, Any]) -> int:
    if "keys" in asked:
        return _job(asked["keys"])
    if "reports" in asked:
        return _report(Path(asked["reports"]))
    from tvdb_pipeline import cli, waypoints

    def listen(name: str) -> None:
        if name == asked["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    waypoints.listen(listen if asked["kill_at"] else None)
    if asked["kill_parser"]:
        threading.Thread(target=_kill_parser, args=(Path(asked["kill_parser"]),), daemon=True).start()
    sys.argv = ["tvdb", *asked["arguments"]]
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _job(keys: Sequence[str]) -> int:
    from tvdb_pipeline.database.pools import database_url
    from tvdb_pipeline.definitions import build_defs
    from tvdb_pipeline.orchestration.home import open_instance
    from tvdb_pipeline.orchestration.jobs import JOB_NAME
    from tvdb_pipeline.orchestration.partitions import add_partitions, range_tags
    from tvdb_pipeline.settings import load_settings

    settings = load_settings()
    with open_instance(settings, database_url(settings)) as instance:
        add_partitions(instance, keys)
        job = build_defs(settings).resolve_job_def(JOB_NAME)
        done = job.execute_in_process(instance=instance, tags=range_tags(keys), raise_on_error=False)
    return 0 if done.success else 1


def _report(folder: Path) -> int:
    from tvdb_pipeline.operations.reports.checking import check
    from tvdb_pipeline.operations.reports.writing import write_reports
    from tvdb_pipeline.settings import load_settings

    check(load_settings(), folder)
    write_reports(folder)
    return 0


def _kill_parser(noted: Path) -> None:
    while not (found := parsers(os.getpid())):
        time.sleep(0.02)
    noted.write_bytes(b"".join((found[0] / name).read_bytes() for name in ("cmdline", "environ")))
    # Long enough to be at work.
    time.sleep(1.0)
    with suppress(ProcessLookupError):
        os.kill(int(found[0].name), signal.SIGKILL)


def parsers(parent: int) -> list[Path]:
    """The parsing processes of a process, as folders of /proc."""
    found: list[Path] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            of = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if of == parent and b"tvdb_pipeline.parsing.worker" in (process / "cmdline").read_bytes():
                found.append(process)
    return found


if __name__ == "__main__":
    main()
