"""What can go wrong with a request, and scripts that say when.

Belongs here: descriptions of faults, whether each one is charged, and OpenAI's usual refusals. Does not: carrying them out
(`answers` spoils answers, `delivery` spoils their sending).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Arrival:
    """One request as it came in. number: 1 for the first; inputs: empty if the request made no sense."""

    number: int
    inputs: list[str]
    request_id: str
    key: str


class Fault:
    """charged: the provider billed the request all the same; silent: not one byte of an answer is sent."""

    charged: bool
    silent: ClassVar[bool] = False

    @property
    def outcome(self) -> str:
        """Its name in the charge log."""
        return type(self).__name__


Script = Callable[[Arrival], Fault | None]


def in_turn(*faults: Fault | None, then: Fault | None = None) -> Script:
    """A script of one fault (or None, a good answer) a request, in the order the requests are asked about; then `then`."""
    left, lock = iter(faults), threading.Lock()

    def script(_: Arrival) -> Fault | None:
        with lock:
            return next(left, then)

    return script


@dataclass(frozen=True)
class Refuse(Fault):
    """An HTTP status with OpenAI's error body. retry_after: seconds, or the header as it is (a date, say)."""

    charged: bool = field(default=False, init=False)
    status: int = field()
    code: str | None
    message: str = ""
    param: str | None = None
    type: str = "error"
    retry_after: float | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def outcome(self) -> str:
        return f"{self.status} {self.code or self.type}"


@dataclass(frozen=True)
class Reset(Fault):
    """The connection is reset (RST) before any byte of an answer."""

    silent: ClassVar[bool] = True

    charged: bool


@dataclass(frozen=True)
class Hang(Fault):
    """Nothing for so many seconds, then the connection is closed."""

    silent: ClassVar[bool] = True

    seconds: float
    charged: bool


@dataclass(frozen=True)
class Trickle(Fault):
    """Headers at once, then single bytes of the body for so many seconds, then the connection is closed: never complete."""

    seconds: float
    charged: bool


@dataclass(frozen=True)
class Truncate(Fault):
    """The length of the whole body is announced; half of it is sent, and the connection closed."""

    charged: bool = True


@dataclass(frozen=True)
class Spoiled(Fault):
    """A complete answer with status 200 and something wrong in it."""

    charged: bool = True


@dataclass(frozen=True)
class Shuffle(Spoiled):
    """Nothing wrong but the order of the list: each vector carries its right index. A good answer."""


@dataclass(frozen=True)
class Short(Spoiled):
    """One vector fewer than inputs."""


@dataclass(frozen=True)
class Duplicate(Spoiled):
    """The first vector comes twice, in place of the last one; with a single input there is one vector too many."""


@dataclass(frozen=True)
class Misnumbered(Spoiled):
    """Indexes count from 1."""


@dataclass(frozen=True)
class WrongDimension(Spoiled):
    """Vectors of `size` dimensions, whatever was asked for."""

    size: int = 512


@dataclass(frozen=True)
class NotJson(Spoiled):
    """A login page."""


@dataclass(frozen=True)
class NoUsage(Spoiled):
    """Right vectors, without the tokens they cost."""


@dataclass(frozen=True)
class ZeroVector(Spoiled):
    """The first vector is all zeros."""


@dataclass(frozen=True)
class NotFinite(Spoiled):
    """The first number of the first vector is NaN in base64, null in a list."""


INVALID = "invalid_request_error"


def rate_limited(retry_after: float | str | None = None) -> Refuse:
    """429: too many requests or tokens within the minute."""
    message = "Rate limit reached for requests. Please try again later."
    return Refuse(429, "rate_limit_exceeded", message, type="requests", retry_after=retry_after)


def insufficient_quota() -> Refuse:
    """429, too, but it does not pass by itself: no credit is left."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return Refuse(429, "insufficient_quota", message, type="insufficient_quota")


def billing_hard_limit() -> Refuse:
    """400: the account's own monthly limit."""
    return Refuse(400, "billing_hard_limit_reached", "Billing hard limit has been reached", type=INVALID)


def invalid_key() -> Refuse:
    """401: the key is wrong or was revoked."""
    return Refuse(401, "invalid_api_key", "Incorrect API key provided.", type=INVALID)


def bad_input(message: str = "'$.input' is invalid. Please check the API reference.") -> Refuse:
    """400: an input is empty, of a wrong type, or not wanted."""
    return Refuse(400, "invalid_input", message, param="input", type=INVALID)


def model_not_found() -> Refuse:
    """404: the model does not exist or the key may not use it."""
    message = "The model does not exist or you do not have access to it."
    return Refuse(404, "model_not_found", message, type=INVALID)


def server_error() -> Refuse:
    """500: a failure of the provider's own."""
    message = "The server had an error while processing your request. Sorry about that!"
    return Refuse(500, "server_error", message, type="server_error")


def unavailable(retry_after: float | str | None = None) -> Refuse:
    """503: overloaded."""
    message = "The engine is currently overloaded, please try again later."
    return Refuse(503, "overloaded", message, type="server_error", retry_after=retry_after)
