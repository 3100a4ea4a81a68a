"""Vectors without a provider: hashed words and word pairs.

Belongs here: the mock client. Deterministic, offline and lexically meaningful: texts that share words are near each other,
so a search over mock vectors finds the right passage. Does not: any network.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from tvdb_pipeline.embedding.client import Embedded, EmbeddingClient, Exchange
from tvdb_pipeline.embedding.models import DIMENSIONS, MOCK_MODEL

_WORD = re.compile(r"[^\W_]+")
_PAIR_WEIGHT = 0.5
_STOP_WORDS = frozenset(
    """
    a an the of to in on at by for from with without and or but if as is are was were be been being it its this that
    these those which who whom what when where why how do does did done has have had not no nor can could may might
    must shall should will would i you he she we they my your his her our their me him us them there here than then
    so such any each per also into under over about between
    """.split()  # noqa: SIM905
)


class MockClient:
    """The client of MOCK mode, and the fallback of HYBRID. Costs nothing and opens no socket."""

    model = MOCK_MODEL
    paid = False
    subject = ""
    fallback: EmbeddingClient | None = None

    def embed(self, texts: Sequence[str], exchange: Exchange | None = None) -> Embedded:
        """Vectors for any number of texts; tokens are reported as 0 because none are bought."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for feature, weight in _features(text).items():
                position, sign = _slot(feature)
                vectors[row, position] += sign * weight
            norm = float(np.linalg.norm(vectors[row]))
            if norm == 0.0:
                # No word at all (punctuation, or slots that cancelled out): a fixed direction drawn from the text itself.
                vectors[row, _slot(text)[0]] = norm = 1.0
            vectors[row] /= norm
        return Embedded(vectors, tokens=0)


def _features(text: str) -> dict[str, float]:
    words = [_stem(word) for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]
    counts = Counter(words)
    weights = {word: 1.0 + math.log(count) for word, count in counts.items()}
    for first, second in pairwise(words):
        weights[f"{first} {second}"] = _PAIR_WEIGHT
    return weights


def _stem(word: str) -> str:
    """Plural and common verb endings off, so that `deductibles` meets `deductible`."""
    for ending, least in (("ies", 5), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            stem = word[: -len(ending)]
            return stem + "y" if ending == "ies" else stem.rstrip("e") or stem
    return word.rstrip("e") or word


@lru_cache(maxsize=200_000)
def _slot(feature: str) -> tuple[int, float]:
    digest = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return digest % DIMENSIONS, 1.0 if digest >> 63 else -1.0
