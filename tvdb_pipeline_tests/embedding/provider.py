"""What the tests of buying share: a client of the fake provider, texts to buy, and what database and provider say of it.

Belongs here: making and comparing. Does not: fixtures, or any expectation of one test alone.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np

from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import Bought, Wanted, text_hash
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.fake_openai.vectors import meaningful

MODEL, KEY = "text-embedding-3-small", "sk-test-4711"
TEXTS = ["Fire is covered.", "Flood is not covered.", "See part 3 of the policy."]
REAL, STAND_IN = Bought(MODEL, False), Bought(MOCK_MODEL, True)
PATIENT_SECONDS = 20.0
_EMPTY = """
    DELETE FROM tvdb.requests; DELETE FROM tvdb.dollar_windows; DELETE FROM tvdb.request_window; DELETE FROM tvdb.breaker;
    DELETE FROM tvdb.embedding_cache; DELETE FROM tvdb.embedding_claims; DELETE FROM tvdb.refused_texts;
    INSERT INTO tvdb.request_window (used, retries, capacity) VALUES (0, 0, 0); INSERT INTO tvdb.breaker DEFAULT VALUES;
"""


def empty(database: Database) -> None:
    """Bring what buying writes back to how a new database has it."""
    with database.connection() as conn:
        conn.execute(_EMPTY)


def client(url: str, timeout: float = 10, key: str = KEY, model: str = MODEL) -> OpenAIClient:
    return OpenAIClient(model, key, url, timeout)


def wanted(*texts: str, key: str | None = "a") -> list[Wanted]:
    return [Wanted(text, text_hash(text), count_tokens(text), key) for text in texts]


def clauses(count: int) -> list[str]:
    return [f"Clause {number} of the policy." for number in range(count)]


def names(texts: Sequence[str]) -> set[str]:
    return {text_hash(text) for text in texts}


def cached(database: Database, texts: Sequence[str], model: str = MODEL) -> set[str]:
    """Those of the texts that have a vector of that model."""
    known = cache.known(database, model, names(texts))
    return {text for text in texts if text_hash(text) in known}


def vector(database: Database, text: str, model: str = MODEL) -> Vectors:
    got = cache.get(database, model, text_hash(text))
    assert got is not None, "it was not bought"
    return got


def each_has_its_own_vector(database: Database, texts: Sequence[str]) -> bool:
    """Whether each text has a vector, and the one the provider makes of that very text."""
    right = meaningful(texts)
    return all(np.allclose(vector(database, text), row, atol=1e-6) for text, row in zip(texts, right, strict=True))


def states(database: Database) -> list[str]:
    """How each request ended, in order."""
    return [row[0] for row in database.fetch("SELECT state FROM tvdb.requests ORDER BY id")]


def booked_as_logged(database: Database, fake: FakeOpenAI) -> bool:
    """Whether each request that arrived has a row under its id, and each charged one stands there with its tokens.

    An unknown outcome is booked with what was reserved; our count of tokens is the provider's.
    """
    rows = database.fetch("SELECT request_key || '-' || attempt, state, tokens FROM tvdb.requests WHERE paid")
    booked = {name: (state, tokens) for name, state, tokens in rows}
    ids = [entry.request_id for entry in fake.log]
    return (
        len(set(ids)) == len(ids)
        and set(ids) <= set(booked)
        and all(
            booked[entry.request_id][0] in ("settled", "charged_unknown")
            and booked[entry.request_id][1] == entry.tokens
            for entry in fake.log
            if entry.charged
        )
    )


def refused_texts(database: Database) -> set[str]:
    return {row[0] for row in database.fetch("SELECT text_sha256 FROM tvdb.refused_texts WHERE model = %s", (MODEL,))}


def claimed(database: Database) -> int:
    """How many texts are claimed by anybody."""
    return database.fetch("SELECT count(*) FROM tvdb.embedding_claims")[0][0]


def gaps(fake: FakeOpenAI) -> list[float]:
    """Seconds between one arrival at the provider and the next."""
    return [after.arrived - before.arrived for before, after in itertools.pairwise(fake.log)]


def until(true: Callable[[], bool]) -> None:
    """Wait until something is the case."""
    ends = time.monotonic() + PATIENT_SECONDS
    while not true():
        assert time.monotonic() < ends, "it never came about"
        time.sleep(0.01)
