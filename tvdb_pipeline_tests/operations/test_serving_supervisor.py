"""The supervisor with small programs in the place of servers: what dies comes back, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tvdb_pipeline.cli import app
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.serving import parts
from tvdb_pipeline.operations.serving.parts import Part
from tvdb_pipeline.operations.serving.supervisor import refuse_taken_ports
from tvdb_pipeline.settings import Settings

KEEPER = """
import os, sys
from pathlib import Path
from tvdb_pipeline.operations.serving.parts import Part
from tvdb_pipeline.operations.serving.supervisor import Supervisor
folder = Path(sys.argv[1])
def part(name, code):
    command = (sys.executable, "-I", "-S", "-c", code, str(folder))
    return Part(name, command, None, lambda _: True)
code = {name: (folder / name).read_text() for name in ("code-server", "daemon")}
sys.exit(Supervisor([part(*each) for each in code.items()], {**os.environ, "TVDB_HOME": str(folder)}, grace=(0.5, 0.5)).run())
"""
LIVES = (
    "import sys, time, pathlib, os; pathlib.Path(sys.argv[1], '{0}.pid').write_text(str(os.getpid())); time.sleep(600)"
)
DIES = "import sys; sys.exit(7)"
WITH_GRANDCHILD = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1], "grandchild.pid").write_text(str(child.pid))
time.sleep(600)
"""
LEAVES_AN_ORPHAN = """
import os, pathlib, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        pathlib.Path(sys.argv[1], "orphan.pid").write_text(str(os.getpid()))
        time.sleep(0.3)
    os._exit(0)
os.wait()
time.sleep(600)
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LIVES.format("deaf")

Keeper = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """Starts a supervisor of two programs, the first in the code server's place."""
    started: list[subprocess.Popen[str]] = []

    def start(first: str, second: str) -> subprocess.Popen[str]:
        (tmp_path / "code-server").write_text(first)
        (tmp_path / "daemon").write_text(second)
        process = subprocess.Popen([sys.executable, "-c", KEEPER, str(tmp_path)], stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def lines_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    assert process.stderr is not None
    seen: list[str] = []
    for line in process.stderr:
        seen.append(line.strip())
        if re.search(wanted, line):
            return seen
    raise AssertionError(f"it ended before saying {wanted!r}: {seen}")


def number_in(file: Path) -> int:
    return eventually(lambda: int(file.read_text()) if file.exists() and file.read_text() else None)


def eventually(answer: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_dies_is_started_again_after_growing_pauses_with_a_line_each_time(keeper: Keeper) -> None:
    seen = lines_until(keeper(LIVES.format("server"), DIES), r"in 2 s")
    died = [line for line in seen if "daemon" in line and "ended with" in line]
    assert died == [
        "tvdb serve: daemon ended with exit code 7; started again in 1 s.",
        "tvdb serve: daemon ended with exit code 7; started again in 2 s.",
    ]


def test_a_child_that_is_killed_comes_back_and_the_line_names_the_signal(keeper: Keeper, tmp_path: Path) -> None:
    process = keeper(LIVES.format("server"), LIVES.format("other"))
    lines_until(process, "ready")
    first = number_in(tmp_path / "other.pid")
    os.kill(first, signal.SIGKILL)
    assert lines_until(process, "again")[-1] == "tvdb serve: daemon was ended by SIGKILL; started again in 1 s."
    assert eventually(lambda: (now := number_in(tmp_path / "other.pid")) != first and now)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_in_order(keeper: Keeper, tmp_path: Path, number: signal.Signals) -> None:
    process = keeper(LIVES.format("server"), LIVES.format("other"))
    pids = [number_in(tmp_path / f"{name}.pid") for name in ("server", "other")]
    process.send_signal(number)
    assert process.wait(60) == 0
    assert not any(map(is_running, pids))


def test_what_a_child_has_started_ends_with_it(keeper: Keeper, tmp_path: Path) -> None:
    process = keeper(WITH_GRANDCHILD, LIVES.format("other"))
    grandchild = number_in(tmp_path / "grandchild.pid")
    process.terminate()
    assert process.wait(60) == 0
    assert not is_running(grandchild)


def test_what_was_adopted_and_dies_is_waited_for(keeper: Keeper, tmp_path: Path) -> None:
    keeper(LEAVES_AN_ORPHAN, LIVES.format("second"))
    orphan = number_in(tmp_path / "orphan.pid")
    eventually(lambda: not Path(f"/proc/{orphan}").exists())


def test_what_does_not_end_is_killed_and_the_exit_code_says_so(keeper: Keeper, tmp_path: Path) -> None:
    process = keeper(LIVES.format("server"), DEAF)
    deaf = number_in(tmp_path / "deaf.pid")
    process.terminate()
    assert "killed as they did not end: daemon" in lines_until(process, "ended")[-1]
    assert process.wait(60) == 1
    assert not is_running(deaf)


def test_a_killed_supervisor_leaves_nothing_behind(keeper: Keeper, tmp_path: Path) -> None:
    process = keeper(WITH_GRANDCHILD, LIVES.format("other"))
    pids = [number_in(tmp_path / f"{name}.pid") for name in ("grandchild", "other")]
    process.kill()
    process.wait()
    eventually(lambda: not any(map(is_running, pids)))


def test_a_port_that_is_taken_is_refused_with_the_part_that_wants_it(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = Part("metrics", ("true",), ("127.0.0.1", port), lambda _: True)
        with pytest.raises(TvdbError, match=rf"metrics \(port {port}\)"):
            refuse_taken_ports([wanted])
    refuse_taken_ports([wanted])


@pytest.mark.parametrize("arguments", [["--only", "kitchen"], ["--only", "daemon", "--webservers", "2"]])
def test_a_part_nobody_knows_is_wrong_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["serve", *arguments]).exit_code == 2


def test_webservers_stand_on_consecutive_ports_and_ask_one_code_server(settings: Settings) -> None:
    found = parts.all_parts(settings.model_copy(update={"webserver_port": 4100}), "postgresql:///x", webservers=3)
    webservers = [part for part in found if part.name.startswith("webserver")]
    assert [part.address for part in webservers] == [("127.0.0.1", port) for port in (4100, 4101, 4102)]
    assert len({part.name for part in found}) == len(found) == len(parts.NAMES) + 2
    assert all(parts.workspace() in part.command for part in webservers)
