"""Token counts are those of cl100k."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvdb_pipeline.chunking.tokens import count_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("hello world", 2),
        ("tiktoken is great!", 6),
        ("antidisestablishmentarianism", 6),
        ("お誕生日おめでとう", 9),
        ("2 + 2 = 4", 7),
        ("1234567", 3),
    ],
)
def test_counts_are_those_openai_publishes_for_cl100k(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_spellings_of_special_tokens_are_ordinary_text() -> None:
    assert count_tokens("<|endoftext|>") > 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_a_text_has_no_more_tokens_than_bytes_and_some_unless_it_is_empty(text: str) -> None:
    assert bool(text) <= count_tokens(text) <= len(text.encode())
