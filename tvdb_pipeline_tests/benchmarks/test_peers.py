"""Peers of the benchmarks: what is told of one that is absent, and of one whose adapter misbehaves. No peer is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import psycopg
import pytest

from benchmarks.peers.installation import INGESTING, NOT_TRIED, PARSING, REQUIREMENTS, install, last_words, steps
from benchmarks.peers.running import (
    Absent,
    Failed,
    ParserRun,
    Peer,
    PeerRun,
    empty_database,
    installed,
    run,
    run_parser,
)

INGESTED = {
    "peer": "p", "version": "1", "start_up_seconds": 1.0, "seconds": 2.0, "documents": 3, "rows": 4, "peak_rss_mb": 5.0,
}  # fmt: skip
PARSED = {
    "parser": "p", "version": "1", "start_up_seconds": 1.0, "seconds": 2.0, "structure": "text only",
    "files": {"a.pdf": {"seconds": 2.0, "pages": 1, "characters": 9}},
}  # fmt: skip


@pytest.fixture
def adapter(tmp_path: Path) -> Callable[..., Peer]:
    """Makes a peer of a few lines of Python, run by this interpreter."""

    def make(*lines: str) -> Peer:
        script = tmp_path / "some_adapter.py"
        script.write_text("\n".join(lines))
        return Peer("some", Path(sys.executable), script)

    return make


def once(peer: Peer, folder: Path, timeout: float = 30) -> PeerRun | Failed:
    return run(peer, folder, "postgresql://nowhere/x", "http://127.0.0.1:1/v1", folder / "state", timeout)


def test_every_peer_has_an_adapter_and_requirements_pinned_exactly() -> None:
    wanted = steps(REQUIREMENTS.read_text())
    assert set((INGESTING | PARSING).values()) == set(wanted)
    packages = [package for calls in wanted.values() for step in calls for package in step.packages]
    assert all(re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==[\w.]+", package) for package in packages)
    folder = REQUIREMENTS.parent / "adapters"
    assert all((folder / f"{name}_adapter.py").exists() for name in INGESTING | PARSING)


def test_what_was_never_installed_is_absent_and_says_how_to_install_it(tmp_path: Path) -> None:
    found = installed(tmp_path)
    assert found == {name: Absent(name, NOT_TRIED) for name in INGESTING | PARSING}


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which pip looks, and nowhere else."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def test_what_cannot_be_installed_is_absent_with_the_reason_until_it_can(tmp_path: Path, wheels: Path) -> None:
    envs = tmp_path / "envs"
    told = "No matching distribution found for kreuzberg==4.10.4"
    assert install(envs, ["kreuzberg"]) == {"kreuzberg": told}
    assert installed(envs)["kreuzberg"] == Absent("kreuzberg", told)
    assert not (envs / "kreuzberg").exists()
    put_wheel(wheels, "kreuzberg", "4.10.4")
    assert install(envs, ["kreuzberg"]) == {"kreuzberg": None}
    peer = installed(envs)["kreuzberg"]
    assert isinstance(peer, Peer)
    assert peer.python.exists()


def test_what_is_installed_is_not_installed_again(tmp_path: Path, wheels: Path) -> None:
    put_wheel(wheels, "kreuzberg", "4.10.4")
    install(tmp_path / "envs", ["kreuzberg"])
    (wheels / "kreuzberg-4.10.4-py3-none-any.whl").unlink()
    assert install(tmp_path / "envs", ["kreuzberg"]) == {"kreuzberg": None}
    shutil.rmtree(tmp_path / "envs" / "kreuzberg")
    assert installed(tmp_path / "envs")["kreuzberg"] == Absent("kreuzberg", NOT_TRIED)


def test_reasons_hold_no_address_and_no_path() -> None:
    told = "WARNING: x\nERROR: Could not open /home/someone/a.whl from https://someone:secret@index.example/simple/"
    assert last_words(told) == "Could not open ... from ..."
    assert last_words("") == "pip ended without a word"


def test_figures_of_a_run_come_with_what_the_process_used(adapter: Callable[..., Peer], tmp_path: Path) -> None:
    lines = ("import json, sys", "print('noise')", "sys.stderr.write('noise')", f"print(json.dumps({INGESTED}))")
    done = once(adapter(*lines), tmp_path)
    assert isinstance(done, PeerRun)
    assert (done.documents, done.rows, done.seconds) == (3, 4, 2.0)
    assert done.wall_seconds > 0
    assert done.cpu_seconds > 0
    parsed = run_parser(adapter(f"print({json.dumps(PARSED)!r})"), tmp_path, 30)
    assert isinstance(parsed, ParserRun)
    assert parsed.files["a.pdf"]["pages"] == 1


def test_an_adapter_gets_home_and_the_provider_and_nothing_else_of_ours(
    adapter: Callable[..., Peer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "ours")
    monkeypatch.setenv("TVDB_SERVICE_MODE", "REAL")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    told = tmp_path / "told.json"
    once(adapter("import json, os", f"json.dump(dict(os.environ), open({str(told)!r}, 'w'))"), tmp_path)
    seen = json.loads(told.read_text())
    assert seen["HOME"] == os.environ["HOME"]
    assert seen["OPENAI_BASE_URL"] == "http://127.0.0.1:1/v1"
    assert {name for name in seen if name.startswith(("TVDB_", "OPENAI_"))} == {
        "TVDB_BENCH_STARTED", "OPENAI_API_KEY", "OPENAI_BASE_URL",
    }  # fmt: skip
    assert "HTTPS_PROXY" not in seen
    assert seen["DO_NOT_TRACK"] == "1"


def test_a_crash_is_told_by_the_name_of_the_error_and_not_by_its_words(
    adapter: Callable[..., Peer], tmp_path: Path
) -> None:
    done = once(adapter("raise ValueError('the patient is Ada Example')"), tmp_path)
    assert done == Failed("some", "crashed", "It ended with exit code 1 of ValueError.")
    silent = once(adapter("import os", "os.kill(os.getpid(), 9)"), tmp_path)
    assert silent == Failed("some", "crashed", "It ended with exit code -9.")


def test_a_run_out_of_time_is_ended_with_all_it_started(adapter: Callable[..., Peer], tmp_path: Path) -> None:
    note = tmp_path / "child"
    lines = (
        "import subprocess, sys, time",
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        f"open({str(note)!r}, 'w').write(str(child.pid))",
        "time.sleep(600)",
    )
    done = once(adapter(*lines), tmp_path, timeout=2)
    assert done == Failed("some", "out_of_time", "It was ended after 2 seconds.")
    stat = Path(f"/proc/{note.read_text()}/stat")
    # Whoever adopted it may not have buried it yet.
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    "line", ["pass", "print('done')", "print('[1]')", "print('{}')", "print('{\"rows\": 1}')"], ids=str
)
def test_a_run_that_ends_without_figures_is_a_failure(adapter: Callable[..., Peer], tmp_path: Path, line: str) -> None:
    done = once(adapter(line), tmp_path)
    assert done == Failed("some", "no_figures", "It ended well, but its last line does not hold the figures.")


def test_each_run_gets_an_empty_database_with_pgvector_that_is_dropped_afterwards(server_url: str) -> None:
    with empty_database(server_url) as first, empty_database(server_url) as second:
        assert first != second
        left_open = psycopg.connect(first)
        assert left_open.execute("SELECT '[1,2]'::vector <=> '[1,2]'::vector").fetchone() == (0.0,)
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert left_open.execute(tables).fetchone() == (0,)
    names = [first.partition("?")[0].rpartition("/")[2], second.partition("?")[0].rpartition("/")[2]]
    with psycopg.connect(server_url) as connection:
        query = "SELECT count(*) FROM pg_database WHERE datname = ANY(%s)"
        assert connection.execute(query, (names,)).fetchone() == (0,)
