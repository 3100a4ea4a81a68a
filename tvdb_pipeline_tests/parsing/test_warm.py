from __future__ import annotations

from collections.abc import Iterator

import pytest

from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.pool import ParserPool
from tvdb_pipeline.parsing.warm import borrowed, end


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    end()
    yield
    end()


def pool() -> ParserPool:
    return ParserPool(1, ParseOptions(), 60.0, 2048)


def test_the_next_batch_gets_the_processes_of_the_last() -> None:
    with borrowed("kind", pool) as first:
        pass
    with borrowed("kind", pool) as second:
        assert second is first


def test_two_batches_at_once_do_not_share_processes() -> None:
    with borrowed("kind", pool) as first, borrowed("kind", pool) as second:
        assert second is not first


def test_other_settings_get_other_processes_and_the_former_are_ended() -> None:
    with borrowed("kind", pool) as first:
        pass
    with borrowed("other", pool) as second:
        assert second is not first
    assert first.closed
    assert not second.closed


def test_processes_of_a_batch_that_was_broken_off_are_ended() -> None:
    with pytest.raises(KeyError), borrowed("kind", pool) as first:
        raise KeyError
    assert first.closed
    with borrowed("kind", pool) as second:
        assert second is not first
