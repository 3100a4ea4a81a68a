"""The search for refused inputs, without any provider."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvdb_pipeline.embedding.bisection import refused_inputs


class Judge:
    """Refuses each part that holds one of the refused positions, and notes what it was asked."""

    def __init__(self, refused: set[int]) -> None:
        self.refused = refused
        self.asked: list[tuple[int, int]] = []
        self.accepted: list[int] = []

    def __call__(self, start: int, stop: int) -> bool:
        self.asked.append((start, stop))
        if self.refused & set(range(start, stop)):
            return False
        self.accepted += range(start, stop)
        return True


@st.composite
def requests(draw: st.DrawFn) -> tuple[int, set[int]]:
    """A size, and what of it is refused: at least one, or it would not be searched."""
    size = draw(st.integers(1, 300))
    return size, draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=size))


@given(requests())
def test_exactly_the_refused_are_found_and_all_others_accepted_once(request: tuple[int, set[int]]) -> None:
    size, refused = request
    judge = Judge(refused)
    found = list(refused_inputs(size, judge))
    assert found == sorted(refused)
    assert sorted(judge.accepted) == [position for position in range(size) if position not in refused]
    assert len(judge.asked) <= len(refused) * 2 * log2(size)
    assert len(set(judge.asked)) == len(judge.asked), "a part was asked for twice"
    assert (0, size) not in judge.asked or size == 1, "the whole was refused already"


def test_one_refused_input_takes_no_more_than_twice_the_logarithm_wherever_it_is() -> None:
    for size in (1, 2, 3, 5, 7, 64, 100, 300):
        for position in range(size):
            judge = Judge({position})
            assert list(refused_inputs(size, judge)) == [position]
            assert len(judge.asked) <= 2 * log2(size)


@given(requests())
def test_an_input_is_called_refused_only_after_it_was_refused_alone(request: tuple[int, set[int]]) -> None:
    size, refused = request
    judge = Judge(refused)
    for position in refused_inputs(size, judge):
        assert size == 1 or (position, position + 1) in judge.asked


def test_a_request_refused_as_a_whole_with_no_refused_input_is_bought_in_parts() -> None:
    judge = Judge(set())
    assert list(refused_inputs(100, judge)) == []
    assert sorted(judge.accepted) == list(range(100))


def test_what_stops_the_asking_stops_the_search_where_it_is() -> None:
    judge = Judge({0, 1, 2, 3})

    def failing(start: int, stop: int) -> bool:
        if len(judge.asked) == 5:
            raise TimeoutError
        return judge(start, stop)

    search: Iterator[int] = refused_inputs(8, failing)
    found = [next(search), next(search)]
    with pytest.raises(TimeoutError):
        found += search
    assert found == [0, 1]


def test_nothing_is_asked_before_a_result_is_wanted() -> None:
    judge = Judge({3})
    refused_inputs(8, judge)
    assert judge.asked == []
