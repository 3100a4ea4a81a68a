"""What is asked of a client in one request, and what came of it.

Belongs here: the records. Does not: asking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tvdb_pipeline.budget.orders import Share
from tvdb_pipeline.errors import TvdbError


def text_hash(text: str) -> str:
    """sha256 of the UTF-8 text, 64 hex digits: the name of a text in the cache."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text to embed: its hash, exact token count, and the document that pays for it (None for a query).

    redacted: how many numbers and addresses of each kind were taken out of it.
    """

    text: str
    sha256: str
    tokens: int
    document_key: str | None
    redacted: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Bought:
    """Which model a vector in the cache is of, and whether it only stands in for a real one."""

    model: str
    provisional: bool


@dataclass(slots=True)
class Purchase:
    """What became of each text of a request, by its hash.

    bought: its vector is in the cache; refused: the provider refuses this very text; withheld: its document is over its own
    limit; failure: why all others have no vector of the client's own model (a stand-in's may be among those bought).
    """

    bought: dict[str, Bought] = field(default_factory=dict[str, Bought])
    refused: set[str] = field(default_factory=set[str])
    withheld: dict[str, TvdbError] = field(default_factory=dict[str, TvdbError])
    failure: TvdbError | None = None

    def open(self, request: Iterable[Wanted]) -> list[Wanted]:
        """Those texts nothing is decided about yet."""
        return [
            wanted
            for wanted in request
            if wanted.sha256 not in self.bought
            and wanted.sha256 not in self.refused
            and wanted.sha256 not in self.withheld
        ]


def shares_of(request: Sequence[Wanted]) -> dict[str, Share]:
    """What each document has in a request; queries have no document."""
    shares: dict[str, Share] = {}
    for wanted in request:
        if wanted.document_key is not None:
            before = shares.get(wanted.document_key, Share(0, 0))
            shares[wanted.document_key] = Share(before.texts + 1, before.tokens + wanted.tokens)
    return shares
