"""Where to cut a sequence of units: content-defined, so that an edit changes only the chunks around it.

Belongs here: the rule of cutting. Does not: what units are made of, or the chunk records.

Each gap before a unit has a rank: the unit's strength, then a hash of its text. A gap is a cut when no gap within WINDOW
tokens on either side ranks higher: that depends on nearby content only. What is longer than MAX_CHUNK_TOKENS between two
cuts is split at its highest-ranking inner gap, again and again; what is shorter than WINDOW cannot arise.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from tvdb_pipeline.chunking.units import Unit

MAX_CHUNK_TOKENS: Final = 512
WINDOW: Final = 110
"""Tokens on either side over which a cut must rank highest; chunks come out at about twice to thrice that."""
_SEPARATOR_TOKENS: Final = 1  # joining two units costs at most one token
_LEAST_PIECE: Final = 48  # an oversized stretch is not split closer than this to its ends, if it can be helped


class _Gap(NamedTuple):
    rank: tuple[int, bytes]
    offset: int  # tokens before it


def cut(units: Sequence[Unit], window: int = WINDOW, limit: int = MAX_CHUNK_TOKENS) -> list[Sequence[Unit]]:
    """`units` in order, grouped into chunks of at most `limit` tokens (joins included). Every unit must itself fit."""
    if not units:
        return []
    offsets = list(accumulate((unit.tokens + _SEPARATOR_TOKENS for unit in units), initial=0))
    gaps = [_Gap(_rank(unit), offset) for unit, offset in zip(units, offsets, strict=False)]
    cuts = [0, *(index for index in range(1, len(units)) if _is_peak(gaps, index, offsets[-1], window)), len(units)]
    groups: list[Sequence[Unit]] = []
    for start, end in pairwise(cuts):
        groups.extend(units[first:last] for first, last in _within(gaps, offsets, start, end, limit))
    return groups


def _rank(unit: Unit) -> tuple[int, bytes]:
    return unit.strength, hashlib.blake2b(unit.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _is_peak(gaps: Sequence[_Gap], index: int, total: int, window: int) -> bool:
    gap = gaps[index]
    if gap.offset < window or total - gap.offset < window:
        return False
    first = bisect_left(gaps, gap.offset - window, key=lambda other: other.offset)
    last = bisect_right(gaps, gap.offset + window, key=lambda other: other.offset)
    return all(
        other.rank < gap.rank or (other.rank == gap.rank and position > index)
        for position, other in enumerate(gaps[first:last], first)
        if position not in (0, index)
    )


def _within(gaps: Sequence[_Gap], offsets: Sequence[int], start: int, end: int, limit: int) -> list[tuple[int, int]]:
    """[start, end) in pieces of at most `limit` tokens, split at the highest-ranking gap first."""
    if offsets[end] - offsets[start] <= limit or end - start == 1:
        return [(start, end)]
    inner = [
        index
        for index in range(start + 1, end)
        if offsets[index] - offsets[start] >= _LEAST_PIECE and offsets[end] - offsets[index] >= _LEAST_PIECE
    ]
    # Of equal ranks (a line repeated over and over) the one in the middle.
    middle = (offsets[start] + offsets[end]) / 2
    best = max(inner or range(start + 1, end), key=lambda index: (gaps[index].rank, -abs(offsets[index] - middle)))
    return _within(gaps, offsets, start, best, limit) + _within(gaps, offsets, best, end, limit)
