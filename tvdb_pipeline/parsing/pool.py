"""Warm parsing processes, one job at a time each.

Belongs here: starting them, handing out jobs, killing one that hangs, replacing one that died. Does not: parsing
itself. A crash or hang ends that worker and that document only.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, LifoQueue

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.worker import LENGTH_BYTES, write_frame

_RECYCLE_AFTER = 100  # documents; what a decoder leaks ends with its process
_MAX_ANSWER = 512 << 20


@dataclass(frozen=True, slots=True)
class ParseJob:
    """A file to parse, under the key its result is known by."""

    key: str
    file: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class ParseResult:
    """The parsed document as JSON (see ParsedDocument.to_json), or why there is none; and the seconds it took."""

    key: str
    parsed: bytes | TvdbError
    seconds: float


class ParserPool:
    """`workers` processes, started at first use. timeout in seconds a document; memory_mb a process. Close it after use."""

    def __init__(self, workers: int, options: ParseOptions, timeout: float, memory_mb: int) -> None:
        self._options, self._timeout, self._memory_mb = options, timeout, memory_mb
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="tvdb-parse")
        self._idle: LifoQueue[_Worker] = LifoQueue()

    def __enter__(self) -> ParserPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parse(self, jobs: Iterable[ParseJob]) -> Iterator[ParseResult]:
        """Results as they are ready, in any order. Raises nothing for a document: its refusal is in its result."""
        futures = [self._threads.submit(self._run, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """End every process."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().kill()

    def _run(self, job: ParseJob) -> ParseResult:
        started = time.monotonic()
        try:
            worker = self._idle.get_nowait()
        except Empty:
            try:
                worker = _Worker(self._memory_mb)
            except OSError as error:
                refusal = TvdbError(
                    "parser_start", f"No parsing process could be started (errno {error.errno}).", retryable=True
                )
                return ParseResult(job.key, refusal, 0.0)
        try:
            parsed = worker.parse(job, self._options, self._timeout)
        except TvdbError as error:
            worker.kill()
            return ParseResult(job.key, error, time.monotonic() - started)
        if worker.served >= _RECYCLE_AFTER:
            worker.kill()
        else:
            self._idle.put(worker)
        return ParseResult(job.key, parsed, time.monotonic() - started)


class _Worker:
    """One process and its two pipes."""

    def __init__(self, memory_mb: int) -> None:
        self.served = 0
        self._scratch = tempfile.TemporaryDirectory(prefix="tvdb-parse-")
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": self._scratch.name,
            "TMPDIR": self._scratch.name,
            "LANG": "C.UTF-8",
            "DO_NOT_TRACK": "1",
            "SCARF_NO_ANALYTICS": "true",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tvdb_pipeline.parsing.worker", str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def parse(self, job: ParseJob, options: ParseOptions, timeout: float) -> bytes | TvdbError:
        """The document's JSON or its refusal. Raises TvdbError if the process hung or died; kill it then."""
        assert self._process.stdin is not None
        task = {"file": str(job.file), "media_type": job.media_type, "options": asdict(options)}
        try:
            write_frame(self._process.stdin, json.dumps(task).encode())  # pyright: ignore[reportArgumentType]
        except OSError as error:
            raise _died() from error
        deadline = time.monotonic() + timeout
        length = int.from_bytes(self._read(LENGTH_BYTES, deadline), "big")
        if length > _MAX_ANSWER:
            raise TvdbError("result_too_large", "What was read from the file is over the size limit.", kind="document")
        answer = self._read(length, deadline)
        self.served += 1
        return answer[1:] if answer[:1] == b"+" else _refusal(answer[1:])

    def kill(self) -> None:
        """End the process and remove its scratch folder."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._scratch.cleanup()

    def _read(self, count: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor, parts, missing = self._process.stdout.fileno(), list[bytes](), count
        while missing:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TvdbError(
                    "parse_timeout", "Reading the file took longer than allowed (TVDB_PARSE_TIMEOUT_SECONDS).",
                    kind="document", retryable=True,
                )  # fmt: skip
            part = os.read(descriptor, min(missing, 1 << 20))
            if not part:
                raise _died()
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def _refusal(body: bytes) -> TvdbError:
    record = json.loads(body)
    if record["kind"] == "document" and not record["retryable"]:
        return DocumentRefused(record["code"], record["message"])
    return TvdbError(**record)


def _died() -> TvdbError:
    return TvdbError("parser_crashed", "Reading the file ended the parsing process.", kind="document", retryable=True)
