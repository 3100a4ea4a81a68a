"""The mock's vectors: repeatable, well formed, and near where words are shared."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import DIMENSIONS, MOCK_MODEL


def embed(*texts: str) -> Vectors:
    return MockClient().embed(texts).vectors


def test_the_mock_is_free_and_says_its_name() -> None:
    client = MockClient()
    assert (client.model, client.paid, client.fallback) == (MOCK_MODEL, False, None)
    assert client.embed(["some text"]).tokens == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_texts_give_unit_vectors_in_their_order(texts: list[str]) -> None:
    vectors = embed(*texts)
    assert vectors.shape == (len(texts), DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for row, text in zip(vectors, texts, strict=True):
        assert np.array_equal(row, embed(text)[0])


@pytest.mark.parametrize("text", ["", " ", "...", "§ — !?", "the of and", "😀", "漢字"])
def test_texts_without_ordinary_words_have_vectors_too(text: str) -> None:
    assert np.linalg.norm(embed(text)[0]) == pytest.approx(1)


def test_marks_that_differ_point_elsewhere() -> None:
    assert not np.array_equal(embed("...")[0], embed("!!!")[0])


def test_another_process_gives_the_same_vectors() -> None:
    text = "The deductible is $500 for each accident."
    code = f"from tvdb_pipeline.embedding.mock import MockClient as M; print(M().embed([{text!r}]).vectors.tobytes().hex())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == embed(text).tobytes().hex()


@pytest.mark.parametrize(
    ("query", "answer", "other"),
    [
        (
            "What is the deductible for an emergency room visit?",
            "Emergency room visits have a deductible of $500.",
            "The policyholder may cancel with thirty days of notice.",
        ),
        (
            "flooded basement covered?",
            "Flooding of basements is covered up to $10,000.",
            "Windscreens are replaced without charge.",
        ),
        ("loss of keys", "KEYS: a lost key is replaced.", "A hail storm damages the roof."),
    ],
)
def test_a_related_text_is_nearer_than_an_unrelated_one(query: str, answer: str, other: str) -> None:
    asked, related, unrelated = embed(query, answer, other)
    assert asked @ related > asked @ unrelated + 0.1


def test_case_punctuation_and_plurals_hardly_matter() -> None:
    one, two = embed("Deductibles, co-payments", "deductible CO PAYMENT")
    assert one @ two > 0.8


def test_word_order_matters_a_little() -> None:
    one, two = embed("insurer pays insured", "insured pays insurer")
    assert 0.5 < one @ two < 0.9999
