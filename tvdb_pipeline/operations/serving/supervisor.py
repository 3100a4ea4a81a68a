"""All parts of a deployment in one command: `tvdb serve`.

Belongs here: starting the children in order, keeping them running, ending them. Does not: what they are (`parts`), or the life of
one (`child`). It ends at SIGTERM or SIGINT. Should it be killed, the kernel asks its children to end, and a guard, which hears of
that by a pipe that closes, ends whatever is left of their process groups.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Unpack

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.serving import guard
from tvdb_pipeline.operations.serving.answers import listens, port_is_free
from tvdb_pipeline.operations.serving.child import Child, adopt_orphans, bury_orphans
from tvdb_pipeline.operations.serving.deaths import Deaths
from tvdb_pipeline.operations.serving.development import environment
from tvdb_pipeline.operations.serving.parts import (
    ASKS_CODE_SERVER,
    CODE_SERVER,
    METRICS,
    WATCH,
    Part,
    all_parts,
    ray_worker,
)
from tvdb_pipeline.privacy import logs
from tvdb_pipeline.privacy.modes import private_folder
from tvdb_pipeline.settings import Settings

CODE_SERVER_SECONDS = 120.0
"""How long those who ask the code server are held back for it."""
_LOOK_SECONDS = 0.2


def serve(settings: Settings, webservers: int = 1, workers: int = 0) -> int:
    """Run every part until told to end; 0, or 1 if something had to be killed. workers: Ray's on this machine.

    Raises TvdbError (`port_taken`, and what opening the database raises).
    """
    logs.for_people = settings.env == "development"
    # Before anything is started.
    refuse_taken_ports(all_parts(settings, "", webservers))
    _refuse_workers_apart(settings, workers)
    variables = environment(settings, leave_running=False)
    parts = all_parts(settings, variables["TVDB_DATABASE_URL"], webservers, workers)
    private_folder(settings.upload_dir)
    return Supervisor(parts, {**os.environ, **variables}).run()


def only(settings: Settings, name: str) -> None:
    """Become one part, in this process and with the same environment; does not return."""
    _refuse_workers_apart(settings, 0)
    # Metrics and watcher tell of a database that is away; they must not end with it.
    variables = environment(settings, reach=name not in (METRICS, WATCH))
    parts = [*all_parts(settings, variables["TVDB_DATABASE_URL"]), ray_worker(settings)]
    part = next(part for part in parts if part.name == name)
    refuse_taken_ports([part])
    private_folder(settings.upload_dir)
    if name in ASKS_CODE_SERVER:
        _await_code_server(settings)
    sys.stderr.flush()
    os.execvpe(part.command[0], list(part.command), {**os.environ, **variables})


def refuse_taken_ports(parts: Sequence[Part]) -> None:
    """Raises TvdbError(`port_taken`)."""
    taken = [
        f"{part.name} (port {part.address[1]})" for part in parts if part.address and not port_is_free(*part.address)
    ]
    if taken:
        raise TvdbError(
            "port_taken",
            f"Something listens already where these would: {', '.join(taken)}; stop it, or set another TVDB_..._PORT.",
        )


def _refuse_workers_apart(settings: Settings, workers: int) -> None:
    """Raises TvdbError(`bad_setting`, `ray_token`): runs that go elsewhere need what all can reach, and nobody else."""
    from tvdb_pipeline.orchestration.ray_token import is_named, is_of_this_machine

    if workers and settings.run_launcher != "ray":
        raise TvdbError("bad_setting", "Workers are Ray's: set TVDB_RUN_LAUNCHER=ray, or leave out --workers.")
    if settings.run_launcher == "ray" and settings.artifact_url is None:
        raise TvdbError(
            "bad_setting",
            "With TVDB_RUN_LAUNCHER=ray, TVDB_ARTIFACT_URL must name what all workers reach: s3://..., or file:///... of a mount "
            "they share.",
        )
    if settings.run_launcher == "ray" and not is_of_this_machine(settings) and not is_named():
        raise TvdbError(
            "ray_token",
            "A cluster of several machines runs whatever it is given by those who know its token: set RAY_AUTH_TOKEN, or "
            "RAY_AUTH_TOKEN_PATH, to the same secret on all of them (`openssl rand -hex 32` makes one).",
        )


class Supervisor:
    """variables: the whole environment of the children; grace: seconds from the request to end to the request to everybody a
    child has started, and from there to killing. The code server lets its runs finish meanwhile."""

    def __init__(
        self, parts: Sequence[Part], variables: dict[str, str], grace: tuple[float, float] = (20.0, 20.0)
    ) -> None:
        self._stopping, self._grace = False, grace
        self._deaths, self._told = Deaths(Path(variables["TVDB_HOME"])), dict[str, int]()
        adopt_orphans()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        self._children = [Child(part, variables, self._note) for part in parts]

    def run(self) -> int:
        """Until a signal; see `serve`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        ready, held_back_until = False, time.monotonic() + CODE_SERVER_SECONDS
        served = False
        try:
            while not self._stopping:
                served = served or time.monotonic() > held_back_until or self._answers(CODE_SERVER)
                for child in self._children:
                    if served or child.part.name == CODE_SERVER:
                        child.tend()
                        self._tell_watcher(child)
                bury_orphans({self._guard.pid, *(child.pid for child in self._children if child.pid is not None)})
                if not ready and served and all(child.answers() for child in self._children):
                    ready = True
                    _say(f"ready: {', '.join(map(_described, self._children))}", "ready", count=len(self._children))
                time.sleep(_LOOK_SECONDS)
        finally:
            killed = self._end()
        return 1 if killed else 0

    def _tell_watcher(self, child: Child) -> None:
        name = child.part.name
        if child.deaths > self._told.get(name, 0):
            self._told[name] = child.deaths
            self._deaths.died(name, child.how)
        elif self._deaths.is_down(name) and child.answers():
            self._deaths.back(name)

    def _answers(self, name: str) -> bool:
        return any(child.answers() for child in self._children if child.part.name == name)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _end(self) -> list[str]:
        """End the children, the code server last so that nobody misses it; names of those that had to be killed."""
        _say("ending ...", "ending")
        killed: list[str] = []
        first, last = self._children[:0:-1], self._children[:1]
        for batch in (first, last):
            for child in batch:
                child.ask_to_end()
            if not _all_gone(batch, self._grace[0]):
                for child in batch:
                    child.ask_to_end(everybody=True)
            if not _all_gone(batch, self._grace[1]):
                left = [child for child in batch if not child.gone()]
                killed += [child.part.name for child in left]
                for child in left:
                    child.kill()
                _all_gone(batch, self._grace[1])
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()
        said = f"ended; killed as they did not end: {', '.join(killed)}." if killed else "ended."
        _say(said, "ended", count=len(killed))
        return killed

    def _note(self, line: str) -> None:
        assert self._guard.stdin is not None
        try:
            self._guard.stdin.write(f"{line}\n")
            self._guard.stdin.flush()
        except BrokenPipeError:
            # Somebody ended the guard; the kernel still asks the children to end if this process is killed.
            pass


def _await_code_server(settings: Settings) -> None:
    deadline = time.monotonic() + CODE_SERVER_SECONDS
    while time.monotonic() < deadline and not listens("127.0.0.1", settings.code_server_port):
        time.sleep(_LOOK_SECONDS)


def _all_gone(children: Sequence[Child], within: float) -> bool:
    deadline = time.monotonic() + within
    while not all([child.gone() for child in children]):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


def _described(child: Child) -> str:
    address = child.part.address
    return f"{child.part.name} {address[0]}:{address[1]}" if address else child.part.name


def _say(sentence: str, event: str, **fields: Unpack[logs.Fields]) -> None:
    logs.tell(f"tvdb serve: {sentence}", event, **fields)
