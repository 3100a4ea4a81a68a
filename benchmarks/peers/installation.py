"""The environments of the peers under `.venv-peers`, made from `requirements.txt`, each on its own.

Belongs here: what there is to install, installing it, and why something is absent. Does not: running a peer.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-peers"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
ADAPTERS = Path(__file__).parent / "adapters"
INGESTING = {
    "llamaindex": "llamaindex",
    "langchain": "langchain",
    "cocoindex": "cocoindex",
    "unstructured_ingest": "unstructured",
}
PARSING = {"pdfium": "pdfium", "kreuzberg": "kreuzberg", "unstructured_fast": "unstructured"}
"""Names of peers, and the environment each runs in. The adapter of a peer is `<name>_adapter.py`."""
NOT_TRIED = "not installed yet; python -m benchmarks.peers installs it"
_HEADING = re.compile(r"# \[(\w+)\]( without dependencies)?")
_PLACE = re.compile(r"\(?\b\w+://\S+|(?<![\w.])/[\w.+-]+/\S*")


@dataclass(frozen=True, slots=True)
class Peer:
    """One that is installed. python: its interpreter; adapter: the script that sets it up."""

    name: str
    python: Path
    adapter: Path


@dataclass(frozen=True, slots=True)
class Absent:
    """One that is not. reason: a sentence without addresses or paths."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """One call of pip."""

    packages: tuple[str, ...]
    with_dependencies: bool


def steps(requirements: str) -> dict[str, list[Step]]:
    """The calls of pip for each environment, out of the text of requirements.txt."""
    found: dict[str, list[Step]] = {}
    for section in re.split(r"\n(?=# \[)", requirements)[1:]:
        first, *lines = section.splitlines()
        heading = _HEADING.fullmatch(first)
        if heading is None:
            raise ValueError(f"not a heading of requirements.txt: {first}")
        packages = tuple(line for line in lines if line and not line.startswith("#"))
        found.setdefault(heading[1], []).append(Step(packages, with_dependencies=heading[2] is None))
    return found


def installed(folder: Path = ENVIRONMENTS) -> dict[str, Peer | Absent]:
    """Every peer by its name, as the last `install` left it. Nothing is installed."""
    wanted = steps(REQUIREMENTS.read_text())
    return {
        name: _found(name, environment, wanted[environment], folder)
        for name, environment in (INGESTING | PARSING).items()
    }


def install(folder: Path = ENVIRONMENTS, only: Sequence[str] = ()) -> dict[str, str | None]:
    """Make the environments (only: those named) that are missing or whose requirements changed.

    Returns each environment with None, or the reason it cannot be made. One that failed before is tried again.
    """
    wanted = steps(REQUIREMENTS.read_text())
    return {name: _make(name, calls, folder) for name, calls in wanted.items() if not only or name in only}


def last_words(errors: str) -> str:
    """The last line of pip's error, without addresses and paths."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR:")] or lines or ["pip ended without a word"]
    return _PLACE.sub("...", told[-1].removeprefix("ERROR:").strip())[:200]


def _found(name: str, environment: str, calls: Sequence[Step], folder: Path) -> Peer | Absent:
    record = _record(environment, folder)
    if record.get("hash") != _hash(calls):
        return Absent(name, NOT_TRIED)
    if record["reason"] is not None:
        return Absent(name, record["reason"])
    return Peer(name, folder / environment / "bin" / "python", ADAPTERS / f"{name}_adapter.py")


def _make(environment: str, calls: Sequence[Step], folder: Path) -> str | None:
    record = _record(environment, folder)
    if record.get("hash") == _hash(calls) and record["reason"] is None:
        return None
    home = folder / environment
    shutil.rmtree(home, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    reason = _call(["venv", "--without-pip", str(home)])
    # Our own pip installs into it.
    pip = ["pip", "--python", str(home / "bin" / "python"), "install", "--quiet", "--disable-pip-version-check"]
    for step in calls:
        if reason is None:
            reason = _call([*pip, *([] if step.with_dependencies else ["--no-deps"]), *step.packages])
    if reason is not None:
        shutil.rmtree(home, ignore_errors=True)
    _file(environment, folder).write_text(json.dumps({"hash": _hash(calls), "reason": reason}))
    return reason


def _call(module: Sequence[str]) -> str | None:
    ended = subprocess.run([sys.executable, "-m", *module], capture_output=True, text=True, check=False)
    return None if ended.returncode == 0 else last_words(ended.stderr)


def _hash(calls: Sequence[Step]) -> str:
    return hashlib.sha256(repr((sys.version_info[:2], calls)).encode()).hexdigest()


def _file(environment: str, folder: Path) -> Path:
    return folder / f"{environment}.json"


def _record(environment: str, folder: Path) -> Mapping[str, str | None]:
    file = _file(environment, folder)
    # An environment that was moved or removed by hand has to be made again.
    made = file.exists() and json.loads(file.read_text())
    return made if made and (made["reason"] or (folder / environment / "bin" / "python").exists()) else {}
