"""Our own log: one JSON object a line, on stderr, of fields that cannot hold what stands in a document.

Belongs here: the one function that writes, and the fields there are. Does not: what is worth a line, or sentences for people at a
terminal (`cli`).
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from typing import Final, TypedDict, Unpack


class Fields(TypedDict, total=False):
    """All that may be said of an event. Text is a name of ours: a key, a code, an id; never a sentence."""

    key: str
    stage: str
    code: str
    state: str
    run_id: str
    part: str
    signal: str
    exit_code: int
    channel: str
    alert: str
    subject: str
    severity: str
    count: int
    seconds: float
    attempts: int
    error: str
    place: str
    logger: str
    level: str


_NAME: Final = re.compile(r"[A-Za-z0-9_.:/<>-]{1,120}")
WITHHELD: Final = "withheld"
strict = False
"""Whether a field that is not allowed is an error. So in tests; elsewhere it is left out, and its name told."""
for_people = True
"""Whether `tell` tells people. Servers outside development tell journals."""


def log(event: str, **fields: Unpack[Fields]) -> None:
    """Write a line. event: what happened, in snake_case.

    A text with spaces, or letters beyond ASCII, stands as `withheld`. A field that is not one of `Fields` is left out and named
    under `dropped`; TypeError where `strict`.
    """
    print(line(event, **fields), file=sys.stderr, flush=True)


def tell(sentence: str, event: str, **fields: Unpack[Fields]) -> None:
    """Tell of an event of a server: people by a sentence, which holds no more than the fields, a journal by the fields."""
    print(sentence if for_people else line(event, **fields), file=sys.stderr, flush=True)


def line(event: str, **fields: Unpack[Fields]) -> str:
    """That line, without its end."""
    dropped = [_named(name) for name in fields if name not in Fields.__annotations__]
    if dropped and strict:
        raise TypeError(f"no field of the log: {', '.join(dropped)}")
    said: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": _named(event)}
    said |= {name: _allowed(value) for name, value in fields.items() if name in Fields.__annotations__}
    return json.dumps(said | ({"dropped": dropped} if dropped else {}))


def _allowed(value: object) -> str | int | float | None:
    if value is None or isinstance(value, int | float):
        return value
    return _named(value) if isinstance(value, str) else WITHHELD


def _named(text: str) -> str:
    return text if _NAME.fullmatch(text) else WITHHELD
