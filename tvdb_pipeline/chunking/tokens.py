"""Exact cl100k token counts, from a table inside a wheel.

Belongs here: counting. Does not: cutting. The count is that of OpenAI's tokenizer for its embedding models, so a price
computed from it is the price that is billed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, cast


class _Encoder(Protocol):
    def count(self, text: str) -> int: ...


@lru_cache(maxsize=1)
def _encoder() -> _Encoder:
    from rs_bpe.bpe import openai  # pyright: ignore[reportMissingTypeStubs]

    return cast(_Encoder, openai.cl100k_base())


def count_tokens(text: str) -> int:
    """Tokens of `text` in cl100k; special-token spellings count as the ordinary text they are."""
    return _encoder().count(text)
