"""An endpoint on the test's own database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.operations.metrics.scraping import Scrape, endpoint


@pytest.fixture
def scrape(settings: Settings) -> Iterator[Scrape]:
    """Each call asks it once."""
    with endpoint(settings) as asked:
        yield asked
