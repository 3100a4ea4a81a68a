"""What a confined process can and cannot do, by trying it: as this user, as an ordinary one, and where namespaces are refused."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tvdb_pipeline_tests.parsing.sandbox.probing import (
    ORDINARY,
    interpreter_of_an_ordinary_user,
    ordinary,
    run_confined,
    try_everything,
)

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the attempts are system calls of x86-64")
WAYS = ("as this user", "with a command", "as an ordinary user", "without namespaces")
MEMORY_MB = 1024


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder an ordinary user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="tvdb-sandbox-tests-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def victim() -> Iterator[int]:
    """A process that must not be touched, with a secret in its environment."""
    environment = {"OPENAI_API_KEY": "sk-secret"}
    with subprocess.Popen(["/bin/sleep", "600"], env=environment, **ordinary(), start_new_session=True) as process:
        yield process.pid
        assert process.poll() is None, "it was ended by an attempt"
        process.kill()


@pytest.fixture(scope="module")
def request_record(place: Path, victim: int) -> Iterator[dict[str, Any]]:
    secret = place / "secret.env"
    secret.write_text("OPENAI_API_KEY=sk-secret")
    secret.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(place / "socket"))
        unix.listen()
        (place / "socket").chmod(0o777)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract:
            abstract.bind(f"\0{place}")
            yield {
                "secret": str(secret),
                "port": server.getsockname()[1],
                "unix": str(place / "socket"),
                "abstract": str(place),
                "victim": victim,
                "memory_mb": MEMORY_MB,
            }


@pytest.fixture(scope="module", params=WAYS)
def told(request: pytest.FixtureRequest, place: Path, request_record: dict[str, Any]) -> dict[str, Any]:
    """What became of every attempt, and the way it was made."""
    way = request.param
    scratch = place / way.replace(" ", "-")
    scratch.mkdir()
    record = {
        **request_record,
        "scratch": str(scratch),
        "may_execute": way == "with a command",
        "without_namespaces": way == "without namespaces",
    }
    if way in WAYS[:2]:
        return {**try_everything(record), "way": way, "scratch": str(scratch)}
    interpreter = interpreter_of_an_ordinary_user()
    if interpreter is None:
        pytest.skip("an ordinary user can read no Python with our packages here")
    if os.geteuid() == 0:
        os.chown(scratch, ORDINARY, ORDINARY)
    return {**try_everything(record, interpreter, **ordinary()), "way": way, "scratch": str(scratch)}


def test_nothing_that_is_forbidden_can_be_done(told: dict[str, Any]) -> None:
    allowed = {
        "a thread",
        "mode of a file of its own",
        "user",
        "groups",
        "folder",
        "descriptors",
        "environment",
        "status",
    }
    allowed |= {"processes", "interfaces", "scratch", *(["a command"] if told["way"] == "with a command" else [])}
    assert {name: value for name, value in told["done"].items() if name not in allowed} == {}
    assert "secret" in told["refused"]


def test_every_measure_is_in_force_or_says_why_not(told: dict[str, Any]) -> None:
    missing = {name: detail for name, (in_force, detail) in told["measures"].items() if not in_force}
    if told["way"] == "without namespaces":
        assert set(missing) == {"network", "processes", "file system"}
        assert all(missing.values())
    else:
        assert missing == {}


def test_threads_and_files_of_its_own_are_what_is_left(told: dict[str, Any]) -> None:
    done = told["done"]
    assert done["a thread"] == [1]
    assert done["folder"] == told["scratch"]
    assert done["mode of a file of its own"] == 0o600, "nobody else reads what it writes"


def test_it_has_no_right_and_can_gain_none(told: dict[str, Any]) -> None:
    status = dict(line.split(":\t", 1) for line in told["done"]["status"].splitlines())
    assert {status[f"Cap{kind}"].strip() for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert told["done"]["user"] != 0
    assert 0 not in told["done"]["groups"]


def test_it_holds_no_descriptor_and_no_variable_it_was_not_given(told: dict[str, Any]) -> None:
    assert told["done"]["descriptors"] == [0, 1, 2]
    assert set(told["done"]["environment"]) <= {"LANG", "LC_CTYPE", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}


def test_its_root_its_network_and_its_processes_are_its_own(told: dict[str, Any]) -> None:
    if told["way"] == "without namespaces":
        return
    done = told["done"]
    assert done["processes"] == ["1"]
    assert done["interfaces"] <= 1, "none but the one that leads to itself, and that is down"
    # Refused by the rules on paths they would be there; here they are not.
    assert {told["refused"][name] for name in ("accounts", "secret", "host name")} == {"FileNotFoundError 2"}


def test_its_scratch_folder_is_full_before_the_disk_is(told: dict[str, Any]) -> None:
    if told["way"] == "without namespaces":
        return
    assert told["done"]["scratch"] == "errno 28 after 448 MB"
    assert list(Path(told["scratch"]).iterdir()) == [], "it was in memory"


def test_a_command_runs_as_the_same_user(told: dict[str, Any]) -> None:
    if told["way"] == "with a command":
        assert told["done"]["a command"] == str(told["done"]["user"])


SHELL = 128
FATAL = {
    "calls of the x32 table": ("kernel.syscall(0x40000000 | 39)", SHELL + signal.SIGSYS),
    "calls of the 32-bit table": (
        "import mmap; page = mmap.mmap(-1, 4096, prot=7); page.write(bytes.fromhex('b814000000cd80c3'));"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()",
        SHELL + signal.SIGSYS,
    ),
    # The first process of a namespace is deaf to the signal, and ends by the instruction that follows.
    "an abort": ("os.abort()", SHELL + signal.SIGSEGV),
    "a crash": ("ctypes.string_at(0)", SHELL + signal.SIGSEGV),
    "more processor time than allowed, in the middle of a library": (
        "limits.allow_cpu(0)\nimport re\nre.match('(a*)*b', 'a' * 40)",
        signal.SIGXCPU,
    ),
}


@pytest.mark.parametrize("what", FATAL)
def test_its_end_is_told_by_its_exit_code(what: str, tmp_path: Path) -> None:
    code, ends_with = FATAL[what]
    assert run_confined(code, tmp_path).returncode == ends_with
    assert list(tmp_path.iterdir()) == [], "no core, no file"


def test_threads_have_an_end(tmp_path: Path) -> None:
    code = """
threading.stack_size(65536)
started = 0
try:
    while started < 5000:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        started += 1
except RuntimeError:
    pass
print(started, flush=True)
os._exit(0)
"""
    assert 100 < int(run_confined(code, tmp_path).stdout) < 512


def test_processes_have_an_end_where_a_command_is_allowed_and_none_stays(tmp_path: Path) -> None:
    code = """
started = 0
try:
    while started < 500:
        if os.fork() == 0:
            time.sleep(600)
        started += 1
except BlockingIOError:
    pass
print(started, flush=True)
os._exit(0)
"""
    # It would wait for every holder of the pipe: that it returns shows that all are gone.
    assert 10 < int(run_confined(code, tmp_path, execute=True).stdout) < 64
