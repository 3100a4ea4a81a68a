"""The process documents are decoded in: confined, without secrets or connections.

Belongs here: the loop that takes a job, reads, and answers; run as `python -m tvdb_pipeline.parsing.worker` by `process`. Does
not: starting or killing it, or what is done about a page that ends it (`document_reading`).

Jobs come as frames `J` (JSON, with the document as an open file): nothing is opened by name here. Answers: `T` number of pages;
`M` the page about to be read; `P` a page's number, a line break, its record; `A` bytes of a file attached to a message; `D` the
whole document; `R` a refusal; `E` nothing more of this job. What is not said in this order is not believed (`conversation`).
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import Any

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.frames import Channel
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.page_records import failed_page, from_record, to_record, too_long
from tvdb_pipeline.parsing.parse import Pages, ParseOptions, finish, has_pages, open_pages, parse
from tvdb_pipeline.parsing.sandbox import kernel
from tvdb_pipeline.parsing.sandbox.confinement import confine
from tvdb_pipeline.parsing.sandbox.limits import allow_cpu


def main() -> None:
    """Serve jobs until the socket closes. argv: descriptor of the socket, memory cap in MB, scratch folder, `execute` or not."""
    # A decoder that hangs would not notice that the other end is gone.
    kernel.die_with_parent()
    end, memory, scratch, execute = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4] == "execute"
    measures = confine(scratch, memory, may_execute=execute)
    channel = Channel(socket.socket(fileno=end))
    channel.send(b"H", json.dumps([asdict(measure) for measure in measures]).encode())
    try:
        while True:
            _, job, file = channel.receive_file()
            assert file is not None
            _serve(channel, json.loads(job), file)
            channel.send(b"E", b"")
    except (EOFError, ConnectionError):
        return


def _serve(channel: Channel, job: dict[str, Any], file: int) -> None:
    try:
        with os.fdopen(file, "rb") as opened:
            data = opened.read()
        options, media_type = ParseOptions(**job["options"]), job["media_type"]
        allow_cpu(job["seconds"])
        if job["do"] == "finish":
            channel.send(b"D", finish(media_type, [from_record(line) for line in data.splitlines()]).to_json())
        elif has_pages(media_type, options):
            _serve_pages(channel, job, open_pages(data, media_type, options))
        else:
            deliver = partial(channel.send, b"A")
            channel.send(b"D", parse(data, media_type, options, deliver).to_json())
    except TvdbError as error:
        channel.send(b"R", json.dumps(error.as_json()).encode())
    except MemoryError:
        channel.send(
            b"R",
            _failure("out_of_memory", "Reading the file takes more memory than allowed (TVDB_PARSE_MEMORY_MB)."),
        )
    except (EOFError, ConnectionError):
        raise
    except Exception as error:
        # The type of the error only: its message may quote the document.
        channel.send(b"R", _failure("parser_error", f"The file could not be read ({type(error).__name__})."))


def _serve_pages(channel: Channel, job: dict[str, Any], pages: Pages) -> None:
    """The pages asked for, as far as the slice of time goes; or the whole document, if all its pages fit into the slice."""
    try:
        channel.send(b"T", str(pages.count).encode())
        if job["pages"] is None:
            read: list[PageLines] = []
            for page in _within(job, channel, pages, range(1, pages.count + 1)):
                read.append(page)
            if len(read) == pages.count:
                channel.send(b"D", finish(job["media_type"], read).to_json())
            else:
                for page in read:
                    _send_page(channel, page)
        else:
            for page in _within(job, channel, pages, job["pages"]):
                _send_page(channel, page)
    finally:
        pages.close()


def _within(job: dict[str, Any], channel: Channel, pages: Pages, numbers: Iterable[int]) -> Iterable[PageLines]:
    end = time.monotonic() + job["slice"]
    for number in numbers:
        allow_cpu(job["page_seconds"])
        channel.send(b"M", str(number).encode())
        yield _page(pages.read, number)
        if time.monotonic() > end:
            break
    allow_cpu(job["seconds"])


def _send_page(channel: Channel, page: PageLines) -> None:
    channel.send(b"P", f"{page.report.number}\n".encode() + to_record(page))


def _page(read: Callable[[int], PageLines], number: int) -> PageLines:
    try:
        page = read(number)
        return from_record(failed_page(number, "there is too much on it")) if too_long(page) else page
    except MemoryError:
        return from_record(failed_page(number, "reading it takes more memory than allowed"))
    except TvdbError as error:
        if error.kind != "document":
            raise
        return from_record(failed_page(number, error.message.rstrip(".")))
    except Exception as error:
        return from_record(failed_page(number, f"it cannot be read ({type(error).__name__})"))


def _failure(code: str, message: str) -> bytes:
    return json.dumps(TvdbError(code, message, kind="document", retryable=True).as_json()).encode()


if __name__ == "__main__":
    main()
