"""Packing texts into requests."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvdb_pipeline.embedding.packing import MAX_INPUTS, MAX_TOKENS, Packer, pack


@dataclass(frozen=True)
class Sized:
    """A text that is only a number of tokens."""

    tokens: int


TEXTS = st.lists(st.builds(Sized, st.integers(0, 50)), max_size=80)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 12), st.integers(50, 200))
def test_all_texts_go_in_order_in_requests_that_fit(texts: list[Sized], inputs: int, tokens: int) -> None:
    requests = list(pack(texts, inputs, tokens))
    assert [text for request in requests for text in request] == texts
    assert all(0 < len(request) <= inputs for request in requests)
    assert all(sum(text.tokens for text in request) <= tokens for request in requests)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 12), st.integers(50, 200))
def test_a_request_is_closed_only_when_the_next_text_would_not_fit(
    texts: list[Sized], inputs: int, tokens: int
) -> None:
    requests = list(pack(texts, inputs, tokens))
    for request, following in pairwise(requests):
        total = sum(text.tokens for text in request) + following[0].tokens
        assert len(request) == inputs or total > tokens


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_a_packer_gives_what_pack_gives(texts: list[Sized]) -> None:
    packer: Packer[Sized] = Packer(5, 100)
    given_out = [request for text in texts if (request := packer.add(text))]
    if rest := packer.flush():
        given_out.append(rest)
    assert given_out == list(pack(texts, 5, 100))
    assert packer.flush() is None


def test_the_limits_are_those_of_the_endpoint() -> None:
    assert (MAX_INPUTS, MAX_TOKENS) == (2048, 300_000)
    assert [len(request) for request in pack([Sized(1)] * 2049)] == [2048, 1]
    assert [len(request) for request in pack([Sized(400)] * 751)] == [750, 1]


def test_a_text_over_the_limit_is_refused_and_the_request_in_hand_kept() -> None:
    packer: Packer[Sized] = Packer(10, 100)
    packer.add(Sized(40))
    with pytest.raises(ValueError, match="101 tokens"):
        packer.add(Sized(101))
    assert packer.flush() == [Sized(40)]
