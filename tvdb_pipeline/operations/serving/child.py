"""One part as a process: started, started again when it dies, stopped.

Belongs here: the life of one child. Does not: which children there are, or the order they end in (`supervisor`).
A child leads a session and process group of its own: Ctrl-C in a terminal reaches the supervisor only, and whatever a child
starts (runs are processes of the code server) can be ended with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from tvdb_pipeline.operations.serving.guard import signalled
from tvdb_pipeline.operations.serving.parts import Part
from tvdb_pipeline.parsing.sandbox import kernel
from tvdb_pipeline.privacy.logs import Fields, tell

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
STEADY_SECONDS = 15.0
"""One that lived so long begins with the first pause again."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Child:
    """note: is told `+GROUP` and `-GROUP`."""

    def __init__(self, part: Part, variables: Mapping[str, str], note: Callable[[str], None]) -> None:
        self.part, self._variables, self._note = part, variables, note
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()
        self._pause = FIRST_PAUSE_SECONDS
        self._started = self._again_at = 0.0
        self.deaths, self.how = 0, ""
        self._since = datetime.now(UTC)

    @property
    def pid(self) -> int | None:
        """Its process id, while it has one."""
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether it runs, or is about to be waited for."""
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        """Whether it runs and shows it."""
        return self.alive and self.part.answers(self._since)

    def tend(self) -> None:
        """Start it if it does not run and its pause is over; say so if it has died."""
        self._forget_empty_groups()
        now = time.monotonic()
        if self._process is not None and (code := self._process.poll()) is not None:
            self._died(code, now)
        if self._process is None and now >= self._again_at:
            self._start(now)

    def ask_to_end(self, *, everybody: bool = False) -> None:
        """SIGTERM: to itself, or to everybody in its groups."""
        if everybody:
            self._signal(signal.SIGTERM)
        elif self.alive and self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to everybody in its groups."""
        self._signal(signal.SIGKILL)

    def gone(self) -> bool:
        """Whether neither it nor anything it left in its groups runs."""
        if self._process is not None:
            self._process.poll()
        self._forget_empty_groups()
        return not self._groups

    def _start(self, now: float) -> None:
        self._started, self._since = now, datetime.now(UTC)
        try:
            # Its output is nobody's answer. Should the supervisor be killed, the kernel asks it to end.
            self._process = subprocess.Popen(
                self.part.command, env=dict(self._variables), stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(),
                start_new_session=True, preexec_fn=_end_with_parent,
            )  # fmt: skip
        except OSError as error:
            self._later(f"could not be started (errno {error.errno})", now, {})
            return
        self._groups.add(self._process.pid)
        self._note(f"+{self._process.pid}")

    def _died(self, code: int, now: float) -> None:
        self._process = None
        if now - self._started >= STEADY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        ended: Fields = {"signal": signal.Signals(-code).name} if code < 0 else {"exit_code": code}
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self.deaths, self.how = self.deaths + 1, how
        self._later(how, now, ended)

    def _later(self, how: str, now: float, ended: Fields) -> None:
        fields: Fields = {"part": self.part.name, "seconds": self._pause, **ended}
        tell(f"tvdb serve: {self.part.name} {how}; started again in {self._pause:.0f} s.", "part_died", **fields)
        self._again_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    def _signal(self, number: int) -> None:
        for group in self._groups:
            signalled(group, number)

    def _forget_empty_groups(self) -> None:
        """A group's number is given away again once nobody is in it, not even one that is dead and was not waited for."""
        for group in self._groups:
            if self._process is None or self._process.pid != group or self._process.returncode is not None:
                _wait_for_dead(group)
        for group in [group for group in self._groups if not signalled(group, 0)]:
            self._groups.discard(group)
            self._note(f"-{group}")


def adopt_orphans() -> None:
    """What children leave behind when they die becomes ours to wait for, and not the first process', which may not do it."""
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury_orphans(own: Collection[int]) -> None:
    """Wait for what was adopted and has died, whatever group it is in. own: children that are waited for elsewhere."""
    with suppress(ChildProcessError):
        while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if dead.si_pid in own:
                # It stands before all others until its own child takes it: they have their turn at the next look.
                return
            os.waitpid(dead.si_pid, os.WNOHANG)


def _wait_for_dead(group: int) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass


def _end_with_parent() -> None:
    kernel.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
