"""The process documents are decoded in: it holds no secret and no connection, and its memory is capped.

Belongs here: the loop that reads a job, parses, and answers; run as `python -m tvdb_pipeline.parsing.worker`. Does not:
starting or killing it (`pool`). Jobs and answers are frames on stdin and stdout: 8 bytes of length, then JSON; never pickle.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.parse import ParseOptions, parse

LENGTH_BYTES = 8
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """One frame, flushed."""
    stream.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """One frame, or None at the end of the stream."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    body = stream.read(int.from_bytes(head, "big"))
    return body


def main() -> None:
    """Serve jobs until stdin closes. argv: memory cap in MB."""
    # Die with the parent, even when it is killed: a decoder that hangs would not notice that stdin is closed.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    memory = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    # Libraries that print must not be able to write into the stream of answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while (job := read_frame(sys.stdin.buffer)) is not None:
        write_frame(answers, _answer(job))


def _answer(job: bytes) -> bytes:
    try:
        task = json.loads(job)
        data = Path(task["file"]).read_bytes()
        return b"+" + parse(data, task["media_type"], ParseOptions(**task["options"])).to_json()
    except TvdbError as error:
        return b"-" + json.dumps(error.as_json()).encode()
    except MemoryError:
        return b"-" + _failure(
            "out_of_memory", "Reading the file takes more memory than allowed (TVDB_PARSE_MEMORY_MB)."
        )
    except Exception as error:
        # The type of the error only: its message may quote the document.
        return b"-" + _failure("parser_error", f"The file could not be read ({type(error).__name__}).")


def _failure(code: str, message: str) -> bytes:
    return json.dumps(TvdbError(code, message, kind="document", retryable=True).as_json()).encode()


if __name__ == "__main__":
    main()
