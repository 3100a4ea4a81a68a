"""Vectors for texts.

Belongs here: the two ways of making them, both deterministic and of unit length: the mock client's, over which searches make
sense, and cheap ones for load, which mean nothing. Does not: their encoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline_tests.fake_openai.protocol import DIMENSIONS, Asked

Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def embed(asked: Asked, *, cheap: bool) -> Vectors:
    """float32, shape (inputs, dimensions asked for)."""
    vectors = _drawn(asked.inputs) if cheap else MockClient().embed(asked.inputs).vectors
    return vectors if asked.dimensions == DIMENSIONS else _shortened(vectors, asked.dimensions)


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
