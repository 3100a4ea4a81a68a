"""One parsing process as its parent sees it: start, jobs, death.

Belongs here: the process, its environment, and typed ends. Does not: what it may answer (`conversation`), what it does
(`worker`), or which job is next (`pool`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import tvdb_pipeline
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.conversation import Answer, Conversation, Nonsense
from tvdb_pipeline.parsing.frames import Channel, FrameTooLarge
from tvdb_pipeline.parsing.sandbox.confinement import Measure
from tvdb_pipeline.parsing.scratch import Scratch

__all__ = ["Answer", "ParserProcess"]

_START_SECONDS: Final = 120.0
_GONE_SECONDS: Final = 10.0
_PACKAGES: Final = ("site-packages", "dist-packages")


class ParserProcess:
    """A confined process (see `sandbox`), ready for jobs. Kill it after use. Raises TvdbError (`parser_start`).

    measures: what confines it; served: jobs it was given.
    """

    def __init__(self, memory_mb: int, *, may_execute: bool) -> None:
        self.served, self._ending = 0, threading.Lock()
        try:
            self._scratch = Scratch()
        except OSError as error:
            raise _not_started(f"errno {error.errno}") from None
        try:
            self._process, self._channel = _started(memory_mb, self._scratch.path, may_execute=may_execute)
        except OSError as error:
            self._scratch.remove()
            raise _not_started(f"errno {error.errno}") from None
        try:
            _, hello = self._channel.receive(time.monotonic() + _START_SECONDS)
            self.measures = [Measure(**measure) for measure in json.loads(hello)]
        except (EOFError, OSError, FrameTooLarge, ValueError, TypeError):
            self.kill()
            raise _not_started("it ended at once") from None
        except BaseException:
            self.kill()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can be given a job: it is there, and has said nothing it was not asked."""
        return self._exit_code() is None and self._channel.quiet

    def run(self, job: dict[str, Any], file: int) -> Answer:
        """Give it a job (see `worker`) with an open file, and hear it to the end. Raises nothing: a death is in the answer."""
        self.served += 1
        talk = Conversation(self._channel, job)
        try:
            talk.hold(file)
        except TimeoutError:
            talk.answer.death = _timed_out()
        except (EOFError, OSError):
            talk.answer.death = self._cause_of_death()
        except FrameTooLarge:
            return Answer(
                death=DocumentRefused(
                    "result_too_large", "What was read from the file is over the size limit; split it."
                )
            )
        except Nonsense:
            # Nothing it said before is worth more.
            return Answer(death=_not_sensible())
        return talk.answer

    def stop(self) -> None:
        """End it with all it started, from any thread: whoever waits for its answer hears of its death."""
        with self._ending:
            # Until it is waited for nobody else gets its number, be it dead.
            if self._process.returncode is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it with all it started, wait until it is gone, and remove its scratch folder. Only where nobody waits for it."""
        self.stop()
        with self._ending:
            self._process.wait()
        # The confined process is a child of the one just killed and goes a moment later: then its end of the socket closes.
        self._channel.await_end(time.monotonic() + _GONE_SECONDS)
        self._channel.close()
        self._scratch.remove()

    def _exit_code(self) -> int | None:
        """None while it runs; minus the number of a signal. It stays to be waited for."""
        found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def _cause_of_death(self) -> TvdbError:
        deadline = time.monotonic() + _GONE_SECONDS
        while (code := self._exit_code()) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if code == signal.SIGXCPU:
            return _timed_out()
        return TvdbError("parser_crashed", "Reading the file ended the parsing process.", "document", retryable=True)


def _not_sensible() -> TvdbError:
    return TvdbError("parser_crashed", "The parsing process gave no sensible answer.", "document", retryable=True)


def _started(memory_mb: int, scratch: str, *, may_execute: bool) -> tuple[subprocess.Popen[bytes], Channel]:
    ours, theirs = socket.socketpair()
    arguments = [str(theirs.fileno()), str(memory_mb), scratch, "execute" if may_execute else "-"]
    try:
        process = subprocess.Popen(
            # -P: modules come from where they are installed, never from the working folder.
            [sys.executable, "-P", "-m", "tvdb_pipeline.parsing.worker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(scratch),
            cwd=scratch,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, Channel(ours)


def _environment(scratch: str) -> dict[str, str]:
    """All the process gets of the environment: no key, no database, one thread for each numerical library."""
    package = Path(tvdb_pipeline.__file__).parents[1]
    installed = package.name in _PACKAGES
    # Where packages come from an installation beside the interpreter's own (see `sandbox.jail`), it has them from there, too.
    added = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(entry).name in _PACKAGES]
    path = [*([] if installed else [str(package)]), *added]
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        **({"PYTHONPATH": os.pathsep.join(path)} if path else {}),
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "DO_NOT_TRACK": "1",
        "SCARF_NO_ANALYTICS": "true",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _not_started(why: str) -> TvdbError:
    return TvdbError("parser_start", f"No parsing process could be started ({why}).", retryable=True)


def _timed_out() -> TvdbError:
    return TvdbError(
        "parse_timeout",
        "Reading the file took longer than allowed (TVDB_PARSE_TIMEOUT_SECONDS, TVDB_PAGE_TIMEOUT_SECONDS).",
        kind="document",
        retryable=True,
    )
