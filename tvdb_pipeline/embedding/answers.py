"""An answer of the embeddings protocol, from its bytes to vectors.

Belongs here: reading it and believing nothing of it. Does not: how it was got. The bytes may come from the wire or from a slip
kept of a process that was killed; both are read alike.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np

from tvdb_pipeline.embedding.client import Embedded, Vectors
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.models import DIMENSIONS

MOST_TOKENS: Final = 10**9
"""No request uses as many: an answer that says so makes no sense."""


def most_bytes(texts: int) -> int:
    """No honest answer for so many texts is longer: 1,536 numbers of at most 32 characters a text, and its frame."""
    return 65_536 + texts * DIMENSIONS * 32


def read_answer(body: bytes, expected: int) -> Embedded:
    """The vectors of an answer for `expected` texts. Raises ProviderError (`malformed_response`, `wrong_dimension`)."""
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _malformed("It is not JSON.") from error
    fields = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    data, usage = fields.get("data"), fields.get("usage")
    tokens = cast("dict[str, Any]", usage).get("total_tokens") if isinstance(usage, dict) else None
    if not isinstance(data, list) or type(tokens) is not int or not 0 <= tokens <= MOST_TOKENS:
        raise _malformed("It is not a list of vectors with their usage.")
    return Embedded(_vectors(cast("list[Any]", data), expected), tokens)


def _vectors(data: Sequence[Any], expected: int) -> Vectors:
    """Rows put in the order of the texts by their `index`: the order of arrival means nothing."""
    items = [cast("dict[str, Any]", item) if isinstance(item, dict) else {} for item in data]
    positions = [item.get("index") for item in items]
    if len(items) != expected or not all(type(position) is int for position in positions):
        raise _malformed("It does not hold one vector for each text.")
    if set(positions) != set(range(expected)):
        raise _malformed("It does not hold one vector for each text.")
    vectors = np.empty((expected, DIMENSIONS), dtype=np.float32)
    for item in items:
        row = _row(item.get("embedding"))
        if row.shape != (DIMENSIONS,):
            raise ProviderError("wrong_dimension", detail=f"It answered with {row.size}.")
        vectors[item["index"]] = row
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise _malformed("It holds a vector that is zero or not finite.")
    return vectors / norms


def _row(raw: object) -> Vectors:
    try:
        if isinstance(raw, str):
            return np.frombuffer(base64.b64decode(raw, validate=True), dtype="<f4")
        if isinstance(raw, list):
            with np.errstate(over="ignore"):  # becomes infinite, and is refused for that
                return np.asarray(raw, dtype=np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise _malformed("It holds a vector that cannot be decoded.") from error
    raise _malformed("It holds something else in place of a vector.")


def _malformed(what: str) -> ProviderError:
    return ProviderError("malformed_response", detail=what)
