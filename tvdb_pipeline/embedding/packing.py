"""Packs texts into requests, across documents.

Belongs here: the pure packing rule. Does not: sending. With a limit on requests an hour, a half-empty request is the
scarcest thing wasted, so a request is closed only when the next text would not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Generic, Protocol, TypeVar

MAX_INPUTS: Final = 2048
MAX_TOKENS: Final = 300_000
"""Per request, from OpenAI's reference of the embeddings endpoint (as is 8,191 tokens for one input)."""


class Weighed(Protocol):
    """Anything that knows its number of tokens."""

    @property
    def tokens(self) -> int: ...


T = TypeVar("T", bound=Weighed)


class Packer(Generic[T]):
    """Fills requests text by text; a full one is handed out as soon as the next text no longer fits."""

    def __init__(self, max_inputs: int = MAX_INPUTS, max_tokens: int = MAX_TOKENS) -> None:
        self._max_inputs, self._max_tokens = max_inputs, max_tokens
        self._request: list[T] = []
        self._total = 0

    def add(self, text: T) -> list[T] | None:
        """The request that `text` no longer fitted in, else None. ValueError for a text over max_tokens alone."""
        if text.tokens > self._max_tokens:
            raise ValueError(f"one text has {text.tokens} tokens, a request holds {self._max_tokens}")
        full = None
        if self._request and (len(self._request) == self._max_inputs or self._total + text.tokens > self._max_tokens):
            full = self.flush()
        self._request.append(text)
        self._total += text.tokens
        return full

    def flush(self) -> list[T] | None:
        """What is in hand, else None."""
        request, self._request, self._total = self._request, [], 0
        return request or None


def pack(texts: Iterable[T], max_inputs: int = MAX_INPUTS, max_tokens: int = MAX_TOKENS) -> Iterator[list[T]]:
    """All texts in requests, in their order; none empty, none over either limit."""
    packer: Packer[T] = Packer(max_inputs, max_tokens)
    for text in texts:
        if full := packer.add(text):
            yield full
    if rest := packer.flush():
        yield rest
