"""One job as two processes speak of it: what the one that reads may say, how much of it, and for how long.

Belongs here: the rules, from the side of the one that asks. Does not: processes (`process`), bytes on the socket (`frames`), or
the other side (`worker`, which names the frames). That one decodes documents of strangers: it may have been taken over by one, so
whatever it says is judged, each thing can be said once, and no job is without end.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.frames import MOST_BYTES, Channel
from tvdb_pipeline.parsing.page_records import from_record

MOST_ATTACHED: Final = 1000
MOST_MESSAGE: Final = 300
"""Characters of a refusal's sentence."""
_MOST_REFUSAL: Final = 16 << 10
_FRAME_BYTES: Final = 64
"""What an empty frame counts."""
_CODE: Final = re.compile("[a-z][a-z0-9_]{0,39}")
_NUMBER: Final = re.compile(b"[1-9][0-9]{0,8}")


class Nonsense(Exception):
    """The other side said what no honest one says."""


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


class Conversation:
    """One job (see `worker`) on a channel. answer: what has been heard so far."""

    def __init__(self, channel: Channel, job: dict[str, Any]) -> None:
        self.answer = Answer()
        self._channel, self._job = channel, job
        self._finishing = job["do"] == "finish"
        self._asked: frozenset[int] | None = None if job["pages"] is None else frozenset(job["pages"])
        self._announced: set[int] = set()
        self._bytes_left = MOST_BYTES

    def hold(self, file: int) -> None:
        """Ask, with an open file, and hear the answer to its end.

        Raises EOFError, OSError, TimeoutError, FrameTooLarge, Nonsense.
        The next frame may take `job["seconds"]`; one that ends the reading of a page, `job["page_seconds"]`; the whole as long
        as opening, a slice of pages and putting together may.
        """
        job, now = self._job, time.monotonic()
        whole, page = float(job["seconds"]), float(job["page_seconds"])
        end, seconds = now + 2 * whole + job["slice"] + 2 * page, whole
        self._channel.send(b"J", json.dumps(job).encode(), file, now + whole)
        while True:
            tag, body = self._channel.receive(min(end, time.monotonic() + seconds), self._bytes_left)
            self._bytes_left = max(0, self._bytes_left - len(body) - _FRAME_BYTES)
            if tag == b"E":
                self._conclude(body)
                return
            self._take(tag, body)
            # After its last page a document is put together.
            answer = self.answer
            reading = answer.at is not None and answer.at != answer.total
            seconds = page if reading else whole + page

    def _take(self, tag: bytes, body: bytes) -> None:
        if self.answer.result is not None:
            raise Nonsense
        if tag == b"M":
            self._announce(_number(body))
        elif tag == b"T":
            self._count(_number(body))
        elif tag == b"P":
            self._page(body)
        elif tag == b"A":
            self._attach(body)
        elif tag == b"D":
            self._done(body)
        elif tag == b"R":
            self.answer.result = _refusal(body)
        else:
            raise Nonsense

    def _count(self, total: int) -> None:
        if self._finishing or self.answer.total or self.answer.attached or total > self._job["options"]["max_pages"]:
            raise Nonsense
        self.answer.total = total

    def _announce(self, number: int) -> None:
        asked = self._asked is None or number in self._asked
        if not asked or not 0 < number <= self.answer.total or number in self._announced:
            raise Nonsense
        self._announced.add(number)
        self.answer.at = number

    def _page(self, body: bytes) -> None:
        text, _, record = body.partition(b"\n")
        number = _number(text)
        if number not in self._announced or number in self.answer.pages:
            raise Nonsense
        try:
            page = from_record(record)
        except ValueError:
            raise Nonsense from None
        if page.report.number != number:
            raise Nonsense
        self.answer.pages[number] = record

    def _attach(self, body: bytes) -> None:
        if (
            self._finishing
            or self._asked is not None
            or self.answer.total
            or len(self.answer.attached) == MOST_ATTACHED
        ):
            raise Nonsense
        self.answer.attached.append(body)

    def _done(self, body: bytes) -> None:
        if self._asked is not None or self.answer.pages or len(self._announced) != self.answer.total:
            raise Nonsense
        self.answer.result = body

    def _conclude(self, body: bytes) -> None:
        # An end without anything would let a reading go round for ever.
        if body or (self.answer.result is None and not self.answer.pages):
            raise Nonsense


def _number(body: bytes) -> int:
    return int(body) if _NUMBER.fullmatch(body) else _nonsense()


def _refusal(body: bytes) -> TvdbError:
    try:
        record = json.loads(body) if len(body) <= _MOST_REFUSAL else None
    except (ValueError, RecursionError):
        raise Nonsense from None
    match record:
        case {"code": str(code), "kind": "document" | "system" as kind, "message": str(text), "retryable": bool(again)}:
            if not _CODE.fullmatch(code):
                raise Nonsense
            message = text[:MOST_MESSAGE]
            if kind == "document" and not again:
                return DocumentRefused(code, message)
            return TvdbError(code, message, kind, again)
        case _:
            raise Nonsense


def _nonsense() -> NoReturn:
    raise Nonsense
