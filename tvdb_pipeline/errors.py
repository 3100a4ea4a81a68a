"""The one exception base of the project: every refusal is typed and says in one sentence what happened and what to do.

Belongs here: the base class and its JSON form. Does not: the refusals themselves, which live in the room that makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ErrorKind = Literal["document", "budget", "provider", "system"]
"""Whose fault it is: the file itself, our own limits, the embedding provider, or this machine."""


INTERRUPTED = (
    "Interrupted; nothing half-done was kept, and what was paid for is. "
    "Run the command again: it goes on where this one ended."
)


@dataclass
class TvdbError(Exception):
    """A typed refusal.

    code: stable snake_case name for programs (`encrypted`, `day_limit`); message: one sentence for people, free of document
    text and file names; kind: see `ErrorKind`; retryable: whether the same bytes may succeed later; retry_at: from when on, where
    that is known.
    """

    code: str
    message: str
    kind: ErrorKind = "system"
    retryable: bool = False
    retry_at: datetime | None = None

    def __str__(self) -> str:
        return self.message

    def as_json(self) -> dict[str, object]:
        """`{"code", "kind", "message", "retryable"}`, the shape `tvdb status --json` shows."""
        return {"code": self.code, "kind": self.kind, "message": self.message, "retryable": self.retryable}


class DocumentRefused(TvdbError):
    """The file itself is unfit (encrypted, corrupt, empty, unsupported, over a cap): never retried until it changes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, kind="document", retryable=False)
