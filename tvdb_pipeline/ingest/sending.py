"""What is sent of a document's chunks where redaction is on.

Belongs here: chunks that are hashed, counted and billed by what is sent. Does not: finding what is to be taken out (`redaction`).

A vector belongs to the text that was sent. So hash and tokens of a chunk become those of that text, and cache, claims, packing,
ledger and erasure go by them; the chunk's own text, which stays in the house, is what is stored and found by words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.embedding.requests import text_hash
from tvdb_pipeline.redaction.redactor import Redacted, Redactor


def to_be_sent(pieces: Sequence[Chunk], redactor: Redactor | None) -> tuple[list[Chunk], dict[str, Redacted]]:
    """The chunks, and by their hash what is sent in place of their text where that differs."""
    if redactor is None:
        return list(pieces), {}
    chunks: list[Chunk] = []
    sent: dict[str, Redacted] = {}
    for piece in pieces:
        redacted = redactor.redact(piece.text)
        if redacted.counts:
            name = text_hash(redacted.text)
            sent[name] = redacted
            piece = replace(piece, sha256=name, tokens=count_tokens(redacted.text))
        chunks.append(piece)
    return chunks, sent
