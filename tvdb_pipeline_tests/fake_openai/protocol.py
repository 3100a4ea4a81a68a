"""What a request for embeddings may look like, and the limits it is held to.

Belongs here: reading and refusing requests as OpenAI documents it, and counting their tokens, once. Does not: answering.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

from rs_bpe.bpe import openai

from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline_tests.fake_openai.faults import INVALID, Refuse, bad_input

MAX_INPUTS, MAX_TOKENS, MAX_INPUT_TOKENS = 2048, 300_000, 8191
DIMENSIONS = 1536
FIRST_SPECIAL_TOKEN = 100_256

Encoding = Literal["float", "base64"]


@dataclass(frozen=True)
class Asked:
    """A valid request. inputs: texts, token arrays decoded; tokens: what it costs."""

    model: str
    inputs: list[str]
    tokens: int
    encoding: Encoding = "float"
    dimensions: int = DIMENSIONS


def read(body: bytes) -> Asked | Refuse:
    """The request in `body`, or what OpenAI would say to it."""
    try:
        request = json.loads(body)
    except ValueError:
        request = None
    if not isinstance(request, dict):
        return Refuse(400, None, "We could not parse the JSON body of your request.", type=INVALID)
    return _options(request) or _asked(request)


def _options(request: dict[str, Any]) -> Refuse | None:
    dimensions = request.get("dimensions", DIMENSIONS)
    if not isinstance(request.get("model"), str) or not request["model"]:
        return Refuse(400, None, "you must provide a model parameter", param="model", type=INVALID)
    if request.get("encoding_format", "float") not in ("float", "base64"):
        return Refuse(400, "invalid_value", "Unknown encoding format.", param="encoding_format", type=INVALID)
    if type(dimensions) is not int or not 1 <= dimensions <= DIMENSIONS:
        return Refuse(400, "invalid_value", "Dimensions out of range.", param="dimensions", type=INVALID)
    return None


def _asked(request: dict[str, Any]) -> Asked | Refuse:
    inputs = _listed(request.get("input"))
    if isinstance(inputs, Refuse):
        return inputs
    try:
        counts = [count_tokens(each) if isinstance(each, str) else len(each) for each in inputs]
    except UnicodeEncodeError:
        return bad_input("Half of a surrogate pair is not a character.")
    if max(counts) > MAX_INPUT_TOKENS:
        message = f"This model's maximum context length is {MAX_INPUT_TOKENS} tokens."
        return Refuse(400, "context_length_exceeded", message, param="input", type=INVALID)
    if sum(counts) > MAX_TOKENS:
        message = f"Requested {sum(counts)} tokens, max {MAX_TOKENS} tokens per request"
        return Refuse(400, "max_tokens_per_request", message, type="max_tokens_per_request")
    texts = [each if isinstance(each, str) else _decoded(each) for each in inputs]
    encoding, dimensions = request.get("encoding_format", "float"), request.get("dimensions", DIMENSIONS)
    return Asked(request["model"], texts, sum(counts), encoding, dimensions)


def _listed(given: object) -> Sequence[str | list[int]] | Refuse:
    """Each of the four forms of `input` (text, texts, token array, token arrays) as a list, nothing in it empty."""
    if isinstance(given, str) or _is_tokens(given):
        given = [given]
    if not isinstance(given, list) or not given:
        return bad_input()
    if len(given) > MAX_INPUTS:
        return bad_input(f"Invalid 'input': array too long, at most {MAX_INPUTS} inputs.")
    if not all(isinstance(each, str) for each in given) and not all(_is_tokens(each) for each in given):
        return bad_input()
    return cast("list[str | list[int]]", given) if all(given) else bad_input("Input must not be empty.")


def _is_tokens(given: object) -> bool:
    return (
        isinstance(given, list)
        and bool(given)
        and all(type(token) is int and 0 <= token < FIRST_SPECIAL_TOKEN for token in given)
    )


@lru_cache(maxsize=1)
def _vocabulary() -> Any:
    return openai.cl100k_base()


def _decoded(tokens: list[int]) -> str:
    """The text of a token array, or where it is none (half a character) its numbers."""
    text = _vocabulary().decode(tokens)
    return text if text is not None else f"tokens {tokens}"
