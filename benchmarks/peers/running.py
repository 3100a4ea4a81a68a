"""Runs a peer's adapter once, as a process, and takes down what it says and what it used.

Belongs here: one run, its figures or its failure, and an empty database for it. Does not: repeats, or counting what was
sent to the provider, which the provider's own log tells.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks.grounds import KEY
from benchmarks.peers.installation import Absent, Peer, installed
from benchmarks.peers.processes import Ended, call

__all__ = ["Absent", "Failed", "ParserRun", "Peer", "PeerRun", "empty_database", "installed", "run", "run_parser"]
_RAISED = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception))(?::|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PeerRun:
    """One run of an ingesting peer.

    start_up_seconds: from its start until it was imported and connected; seconds: of the work; documents: those that have
    a row afterwards; rows: those in its table afterwards; peak_rss_mb: of its first process; wall_seconds, cpu_seconds,
    peak_tree_mb: of the whole call, see `processes.Ended`.
    """

    peer: str
    version: str
    start_up_seconds: float
    seconds: float
    documents: int
    rows: int
    peak_rss_mb: float
    wall_seconds: float
    cpu_seconds: float
    peak_tree_mb: float


@dataclass(frozen=True, slots=True)
class ParserRun:
    """One run of a parser over files, on one core.

    seconds: of all files; files: for each file name its `seconds`, `pages` and `characters`; structure: what it yields;
    the others as in `PeerRun`.
    """

    parser: str
    version: str
    start_up_seconds: float
    seconds: float
    files: dict[str, dict[str, float]]
    structure: str
    wall_seconds: float
    cpu_seconds: float
    peak_tree_mb: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A run without figures. reason: one sentence, with no text of a document and no path in it."""

    peer: str
    kind: Literal["crashed", "out_of_time", "no_figures"]
    reason: str


Figures = TypeVar("Figures", PeerRun, ParserRun)


def run(
    peer: Peer, documents: Path, database_url: str, provider_url: str, state: Path, timeout: float
) -> PeerRun | Failed:
    """Ingest the PDFs of a folder. state, with the database, is what makes the next run with them a second one."""
    options = ["--documents", documents, "--database", database_url, "--provider", provider_url, "--state", state]
    variables = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": provider_url}
    return _figures(PeerRun, peer, _call(peer, options, variables, timeout), timeout)


def run_parser(peer: Peer, documents: Path, timeout: float, only: str | None = None) -> ParserRun | Failed:
    """Read the PDFs of a folder, or the one named `only`."""
    options = ["--documents", documents, *(["--only", only] if only else [])]
    return _figures(ParserRun, peer, _call(peer, options, {}, timeout), timeout)


@contextmanager
def empty_database(server_url: str) -> Generator[str]:
    """The URL of a new database with pgvector on the server; it is dropped afterwards."""
    name = f"peer_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        url = re.sub(r"(?<=/)\w+(?=\?|$)", name, server_url, count=1)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION vector")
        yield url
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _call(peer: Peer, options: Sequence[str | Path], variables: dict[str, str], timeout: float) -> Ended:
    command = [str(each.absolute() if isinstance(each, Path) else each) for each in [peer.adapter, *options]]
    return call([str(peer.python), *command], variables | {"TVDB_BENCH_STARTED": repr(time.time())}, timeout)


def _figures(kind: type[Figures], peer: Peer, ended: Ended, timeout: float) -> Figures | Failed:
    if ended.exit_code is None:
        return Failed(peer.name, "out_of_time", f"It was ended after {timeout:g} seconds.")
    if ended.exit_code != 0:
        raised = _RAISED.findall(ended.errors)
        # The message of an exception may quote a document; its name does not.
        cause = f" of {raised[-1]}" if raised else ""
        return Failed(peer.name, "crashed", f"It ended with exit code {ended.exit_code}{cause}.")
    told = _told(ended.output)
    used = {name: round(getattr(ended, name), 3) for name in ("wall_seconds", "cpu_seconds", "peak_tree_mb")}
    if {*told, *used} != {field.name for field in fields(kind)}:
        return Failed(peer.name, "no_figures", "It ended well, but its last line does not hold the figures.")
    return kind(**told, **used)


def _told(output: str) -> dict[str, Any]:
    lines = output.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
