"""A provider that takes so many requests within so many seconds, refuses more, and fails now and then.

Belongs here: when it says no. Does not: the protocol (`tvdb_pipeline_tests.fake_openai`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping

from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, rate_limited, server_error, unavailable

FAILING: Mapping[int, Fault] = {2: rate_limited(1), 4: server_error(), 7: unavailable(1), 11: server_error()}
"""What befalls the second request that the limit let through, and so on. The first stands for others who use the same key."""


class RateLimit:
    """A script of the fake provider: at most `most` requests in any window of `seconds`, and then 429 with Retry-After."""

    def __init__(self, most: int, seconds: float, failing: Mapping[int, Fault] = FAILING) -> None:
        self._most, self._seconds, self._failing = most, seconds, failing
        self._taken, self._lock, self._number = deque[float](), threading.Lock(), 0

    def __call__(self, arrival: Arrival) -> Fault | None:
        """The fault of this request, by the clock."""
        return self.at(time.monotonic())

    def at(self, now: float) -> Fault | None:
        """The same at a given second. What is refused for the limit does not count against it."""
        with self._lock:
            while self._taken and now - self._taken[0] >= self._seconds:
                self._taken.popleft()
            if len(self._taken) >= self._most:
                return rate_limited(self._seconds - (now - self._taken[0]))
            self._taken.append(now)
            self._number += 1
            return self._failing.get(self._number)
