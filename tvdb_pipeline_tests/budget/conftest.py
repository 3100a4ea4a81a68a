"""Fixtures of the tests of the ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline_tests.budget.bookkeeping import HandClock, disagreements


@pytest.fixture
def clock() -> HandClock:
    """Noon."""
    return HandClock()


@pytest.fixture(autouse=True)
def windows_that_agree(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did to a ledger: afterwards the windows sum up the rows."""
    if "database" not in request.fixturenames:
        yield
        return
    database: Database = request.getfixturevalue("database")
    yield
    assert disagreements(database) == []
