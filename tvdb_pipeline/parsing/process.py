"""One parsing process as its parent sees it: start, jobs, death.

Belongs here: the process, its socket, deadlines, and typed ends. Does not: what the process does (`worker`), or which job is next
(`pool`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import tvdb_pipeline
from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.frames import Channel, FrameTooLarge
from tvdb_pipeline.parsing.sandbox.confinement import Measure

_START_SECONDS: Final = 120.0
_GONE_SECONDS: Final = 10.0
_SHELL_SIGNAL: Final = 128  # the process that waits for the confined one ends with 128 + signal


@dataclass(slots=True)
class Answer:
    """What came of a job.

    total: pages of the document, 0 while not known; pages: number -> record; attached: contents of files attached to a message;
    result: the whole document as JSON, or its refusal; death: how the process ended in the middle, None if it did not (kill it
    then); at: the page it was reading.
    """

    total: int = 0
    pages: dict[int, bytes] = field(default_factory=dict[int, bytes])
    attached: list[bytes] = field(default_factory=list[bytes])
    result: bytes | TvdbError | None = None
    death: TvdbError | None = None
    at: int | None = None


class ParserProcess:
    """A confined process (see `sandbox`), ready for jobs. Kill it after use. Raises TvdbError (`parser_start`).

    measures: what confines it; served: jobs it was given.
    """

    def __init__(self, memory_mb: int, *, may_execute: bool) -> None:
        self.served = 0
        self._scratch = tempfile.TemporaryDirectory(prefix="tvdb-parse-", ignore_cleanup_errors=True)
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        arguments = [str(theirs.fileno()), str(memory_mb), self._scratch.name, "execute" if may_execute else "-"]
        try:
            self._process = subprocess.Popen(
                # -P: modules come from where they are installed, never from the working folder.
                [sys.executable, "-P", "-m", "tvdb_pipeline.parsing.worker", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(self._scratch.name),
                cwd=self._scratch.name,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            theirs.close()
            self._channel.close()
            self._scratch.cleanup()
            raise _not_started(f"errno {error.errno}") from None
        theirs.close()
        try:
            _, hello, _ = self._channel.receive(time.monotonic() + _START_SECONDS)
        except (EOFError, OSError):
            self.kill()
            raise _not_started("it ended at once") from None
        self.measures = [Measure(**measure) for measure in json.loads(hello)]

    @property
    def alive(self) -> bool:
        """Whether it can be given a job."""
        return self._process.poll() is None

    def run(self, job: dict[str, Any], file: int) -> Answer:
        """Give it a job (see `worker`) with an open file, and hear it to the end. Raises nothing: a death is in the answer.

        The next frame may take `job["seconds"]`; one that ends the reading of a page, `job["page_seconds"]`.
        """
        self.served += 1
        answer = Answer()
        try:
            self._channel.send(b"J", json.dumps(job).encode(), file)
            seconds = float(job["seconds"])
            while True:
                tag, body, _ = self._channel.receive(time.monotonic() + seconds)
                if tag == b"E":
                    return answer
                _take(answer, tag, body)
                # After its last page a document is put together.
                reading = answer.at is not None and answer.at != answer.total
                seconds = job["page_seconds"] if reading else job["seconds"] + job["page_seconds"]
        except TimeoutError:
            answer.death = _timed_out()
        except (EOFError, OSError):
            answer.death = self._cause_of_death()
        except FrameTooLarge:
            answer.death = TvdbError(
                "result_too_large", "What was read from the file is over the size limit.", "document"
            )
        except ValueError:
            answer.death = _not_sensible()
        return answer

    def kill(self) -> None:
        """End it with all it started, wait until it is gone, and remove its scratch folder."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # The confined process is a child of the one just killed and goes a moment later: then its end of the socket closes.
        deadline = time.monotonic() + _GONE_SECONDS
        with suppress(EOFError, OSError, FrameTooLarge):
            while True:
                self._channel.receive(deadline)
        self._channel.close()
        self._scratch.cleanup()

    def _cause_of_death(self) -> TvdbError:
        try:
            code = self._process.wait(_GONE_SECONDS)
        except subprocess.TimeoutExpired:
            code = 0
        if code in (-signal.SIGXCPU, _SHELL_SIGNAL + signal.SIGXCPU):
            return _timed_out()
        return TvdbError("parser_crashed", "Reading the file ended the parsing process.", "document", retryable=True)


def _take(answer: Answer, tag: bytes, body: bytes) -> None:
    if tag == b"M":
        answer.at = int(body)
    elif tag == b"T":
        answer.total = int(body)
    elif tag == b"P":
        number, _, record = body.partition(b"\n")
        answer.pages[int(number)] = record
    elif tag == b"A":
        answer.attached.append(body)
    elif tag == b"D":
        answer.result = body
    elif tag == b"R":
        answer.result = _refusal(body)


def _refusal(body: bytes) -> TvdbError:
    try:
        record = json.loads(body)
        if record["kind"] == "document" and not record["retryable"]:
            return DocumentRefused(record["code"], record["message"])
        return TvdbError(**record)
    except (TypeError, KeyError):
        return _not_sensible()


def _not_sensible() -> TvdbError:
    return TvdbError("parser_crashed", "The parsing process gave no sensible answer.", "document", retryable=True)


def _environment(scratch: str) -> dict[str, str]:
    """All the process gets of the environment: no key, no database, one thread for each numerical library."""
    package = Path(tvdb_pipeline.__file__).parents[1]
    installed = package.name in ("site-packages", "dist-packages")
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        **({} if installed else {"PYTHONPATH": str(package)}),
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
