"""What a provider's headers say about when to come back.

Belongs here: reading `Retry-After` and `x-ratelimit-*`. Does not: waiting.
Formats from RFC 9110 (seconds or an HTTP date) and OpenAI's guide to rate limits (`1s`, `6m0s`, `120ms`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tvdb_pipeline.embedding.packing import MAX_TOKENS

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_SECONDS = 86400.0
"""A provider cannot ask for more than a day: beyond it, it is asked again."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait after a refusal, or None where the headers do not say."""
    if (value := headers.get("retry-after-ms")) is not None:
        with suppress(ValueError):
            return _bounded(float(value) / 1000)
    if (value := headers.get("retry-after")) is not None:
        with suppress(ValueError):
            return _bounded(float(value))
        with suppress(ValueError):
            return _bounded((_aware(parsedate_to_datetime(value)) - datetime.now(UTC)).total_seconds())
    return rest(headers, tokens=MAX_TOKENS) or None


def rest(headers: Mapping[str, str], tokens: int) -> float:
    """Seconds until there is room for a request of so many tokens; 0 where there is, or nothing is said."""
    waits = [0.0]
    for what, needed in (("requests", 1), ("tokens", tokens)):
        left, reset = headers.get(f"x-ratelimit-remaining-{what}"), headers.get(f"x-ratelimit-reset-{what}")
        with suppress(ValueError):
            if left is not None and reset is not None and int(left) < needed:
                waits.append(_duration(reset))
    return max(waits)


def _duration(text: str) -> float:
    with suppress(ValueError):
        return _bounded(float(text))
    parts = _PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ValueError(text)
    return _bounded(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def _bounded(seconds: float) -> float:
    if seconds != seconds:  # not a number
        raise ValueError
    return min(max(seconds, 0.0), LONGEST_SECONDS)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
