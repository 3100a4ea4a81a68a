"""Vectors for texts.

Belongs here: the two ways of making them, both deterministic and of unit length: the mock client's, over which searches make
sense, turned so that, as a real model's, they say a little in every component; and cheap ones for load, which mean nothing. Does
not: their encoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline_tests.fake_openai.protocol import DIMENSIONS, Asked

Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]


_TURNED = DIMENSIONS // 3  # a power of two


def embed(asked: Asked, *, cheap: bool) -> Vectors:
    """float32, shape (inputs, dimensions asked for)."""
    vectors = _drawn(asked.inputs) if cheap else meaningful(asked.inputs)
    return vectors if asked.dimensions == DIMENSIONS else _shortened(vectors, asked.dimensions)


def meaningful(texts: Sequence[str]) -> Vectors:
    """The vectors of a server that is not cheap, shape (texts, 1536)."""
    return _turned(MockClient().embed(texts).vectors)


def _turned(vectors: Vectors) -> Vectors:
    """Each third by a Walsh-Hadamard matrix: angles stay. By sums alone, so that no text's vector hangs on its batch."""
    turned = vectors.reshape(-1, 3, _TURNED)
    span = 1
    while span < _TURNED:
        pairs = turned.reshape(len(vectors), -1, 2, span)
        turned = np.stack((pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]), axis=2)
        span *= 2
    return (turned / np.float32(np.sqrt(_TURNED))).reshape(len(vectors), DIMENSIONS)


def _drawn(texts: Sequence[str]) -> Vectors:
    vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        np.random.Generator(np.random.PCG64(seed)).standard_normal(out=row, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _shortened(vectors: Vectors, dimensions: int) -> Vectors:
    """The leading dimensions, brought back to unit length; a row that has nothing there points along the first one."""
    short = vectors[:, :dimensions].copy()
    short[~short.any(axis=1), 0] = 1.0
    return short / np.linalg.norm(short, axis=1, keepdims=True)
