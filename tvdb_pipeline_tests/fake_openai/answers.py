"""The bytes of an answer, good or spoiled.

Belongs here: bodies and headers as OpenAI writes them, and the faults that lie in them. Does not: sending them.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Fault, Refuse
from tvdb_pipeline_tests.fake_openai.protocol import Asked, Encoding
from tvdb_pipeline_tests.fake_openai.vectors import embed

JSON = {"Content-Type": "application/json"}
LOGIN_PAGE = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"


@dataclass(frozen=True)
class Answer:
    """Status, headers (without the length) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def refusal(refuse: Refuse) -> Answer:
    """OpenAI's error body."""
    error = {"message": refuse.message, "type": refuse.type, "param": refuse.param, "code": refuse.code}
    headers = {**JSON, **refuse.headers}
    if refuse.retry_after is not None:
        headers["Retry-After"] = _seconds(refuse.retry_after)
    return Answer(refuse.status, headers, json.dumps({"error": error}).encode())


def embeddings(asked: Asked, fault: Fault | None, number: int, *, cheap: bool) -> Answer:
    """The vectors asked for, spoiled by `fault` if it is one that spoils. number: the arrival's, which seeds the shuffling."""
    if isinstance(fault, faults.NotJson):
        return Answer(200, {"Content-Type": "text/html"}, LOGIN_PAGE)
    if isinstance(fault, faults.WrongDimension):
        asked = replace(asked, dimensions=fault.size)
    vectors = embed(asked, cheap=cheap)
    if isinstance(fault, faults.ZeroVector):
        vectors[0] = 0.0
    elif isinstance(fault, faults.NotFinite):
        vectors[0, 0] = np.nan
    items: list[dict[str, Any]] = [
        {"object": "embedding", "index": index, "embedding": _encoded(row, asked.encoding)}
        for index, row in enumerate(vectors)
    ]
    whole: dict[str, Any] = {"object": "list", "data": _listed(items, fault, number), "model": asked.model}
    if not isinstance(fault, faults.NoUsage):
        whole["usage"] = {"prompt_tokens": asked.tokens, "total_tokens": asked.tokens}
    return Answer(200, JSON, json.dumps(whole).encode())


def _listed(items: list[dict[str, Any]], fault: Fault | None, number: int) -> list[dict[str, Any]]:
    match fault:
        case faults.Shuffle():
            return _shuffled(items, number)
        case faults.Short():
            return items[:-1]
        case faults.Duplicate():
            return [*items[: max(1, len(items) - 1)], items[0]]
        case faults.Misnumbered():
            return [{**item, "index": item["index"] + 1} for item in items]
        case _:
            return items


def _shuffled(items: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    shuffled = random.Random(seed).sample(items, len(items))
    # Chance may leave two or three where they were, and then nothing would be tested.
    return shuffled if shuffled != items else shuffled[::-1]


def _encoded(row: np.ndarray[Any, np.dtype[np.float32]], encoding: Encoding) -> str | list[float | None]:
    if encoding == "base64":
        return base64.b64encode(row.astype("<f4").tobytes()).decode()
    # JSON has no NaN.
    return [number if number == number else None for number in row.tolist()]


def _seconds(retry_after: float | str) -> str:
    return retry_after if isinstance(retry_after, str) else f"{retry_after:g}"
