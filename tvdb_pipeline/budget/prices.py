"""What embedding models cost.

Belongs here: prices in nano-dollars a token, so that money is whole numbers. Does not: limits.
Source: OpenAI's public price list for its embedding models (US dollars a million tokens, standard tier).
"""

from __future__ import annotations

from typing import Final

from tvdb_pipeline.errors import TvdbError

NANO_DOLLARS_A_TOKEN: Final[dict[str, int]] = {
    "text-embedding-3-small": 20,  # $0.02 a million
    "text-embedding-3-large": 130,  # $0.13 a million
    "text-embedding-ada-002": 100,  # $0.10 a million
    "mock-hashed-1536": 0,
}


def price(model: str) -> int:
    """Nano-dollars a token. Raises TvdbError(`unknown_price`): a model without a known price is never paid for."""
    if model not in NANO_DOLLARS_A_TOKEN:
        raise TvdbError(
            "unknown_price",
            f"The price of {model} is not known, so it cannot be kept within limits; choose another model.",
        )
    return NANO_DOLLARS_A_TOKEN[model]


def shown(nano: int) -> str:
    """Nano-dollars for a sentence: `$5.00`, and as many places as a small amount needs."""
    return f"${nano / 1e9:.2f}" if nano % 10_000_000 == 0 else f"${nano / 1e9:.9f}".rstrip("0")


def dollars(nano: int) -> float:
    """Nano-dollars as dollars, for people and JSON."""
    return nano / 1_000_000_000
