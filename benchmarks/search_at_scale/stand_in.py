"""Vectors with the shape of a real model's, made offline: latent semantic analysis of the passages themselves.

Belongs here: this stand-in. Does not: the mock of MOCK mode, the harder case, which is measured beside it.

A real model's weights are not in the default install, and noise would be no test: in 1536 independent directions every passage
is equally far from every other one, which no text is. What an HNSW graph feels of a model is how its vectors lie: dense families
of like passages, some directions that hold most of the variance, a long thin tail. Weights of terms (tf-idf over hashed words)
projected on the 1536 strongest directions of a sample (randomised SVD, numpy alone) and normalised lie so: 90% of the variance is
in a quarter of the directions. It judges meaning worse than a model does; that is not what is measured here. A question is
farther from its answer than with a model, which makes the walk harder. The mock has no strong directions at all: each word owns
one of 1536 slots.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.embedding.models import DIMENSIONS

MODEL = "stand-in-lsa-1536"
_WORD = re.compile(r"[^\W_]+")
_FEATURES = 1 << 13
_SAMPLE = 4000
_SPARE = 64
"""Directions looked for beyond those kept: the last ones found are the least exact."""
_Terms = tuple[NDArray[np.int64], NDArray[np.int64]]


class StandIn:
    """Fitted to passages; `embed` makes vectors of unit length, shape (texts, 1536)."""

    def __init__(self, passages: Sequence[str]) -> None:
        draw = np.random.default_rng(21)
        sample = [_terms(passages[int(number)]) for number in draw.permutation(len(passages))[:_SAMPLE]]
        seen = np.zeros(_FEATURES)
        for slots, _ in sample:
            seen[slots] += 1
        self._rarity = np.log((1 + len(sample)) / (1 + seen)).astype(np.float32)
        dense = np.zeros((len(sample), _FEATURES), dtype=np.float32)
        for row, terms in enumerate(sample):
            dense[row, terms[0]] = self._weighed(terms)
        start = draw.standard_normal((len(sample), min(DIMENSIONS + _SPARE, len(sample))), dtype=np.float32)
        basis, _ = np.linalg.qr(dense.T @ (dense @ (dense.T @ start)))
        seen_from = dense @ basis
        strengths, turned = np.linalg.eigh(seen_from.T @ seen_from)
        self._directions: Vectors = (basis @ turned[:, np.argsort(-strengths)[:DIMENSIONS]]).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A text without a known word gets the first direction: it has to lie somewhere."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            terms = _terms(text)
            vectors[row, : self._directions.shape[1]] = self._weighed(terms) @ self._directions[terms[0]]
        norms = np.linalg.norm(vectors, axis=1)
        vectors[norms == 0, 0] = 1.0
        norms[norms == 0] = 1.0
        return vectors / norms[:, None]

    def _weighed(self, terms: _Terms) -> Vectors:
        slots, counts = terms
        weights = (1 + np.log(counts)) * self._rarity[slots]
        return (weights / (float(np.linalg.norm(weights)) or 1.0)).astype(np.float32)


def _terms(text: str) -> _Terms:
    words = _WORD.findall(text.lower())
    hashed = [zlib.crc32(word.encode()) % _FEATURES for word in words]
    slots, counts = np.unique(np.array(hashed, dtype=np.int64), return_counts=True)
    return slots, counts.astype(np.int64)
