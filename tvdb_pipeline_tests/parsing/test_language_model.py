"""The local model: which lines unstructured takes for titles and which for sentences."""

from __future__ import annotations

import pytest

from tvdb_pipeline.parsing.language_model import prepare


@pytest.mark.parametrize(
    "sentence",
    [
        "The insurer pays for the loss.",
        "we will cover your home",
        "coverage is provided for fire and flood",
        "the claim was denied by the insurer",
        "you must notify us within thirty days",
        "excludes damage caused by war",
    ],
)
def test_sentences_are_narrative(sentence: str) -> None:
    prepare()
    from unstructured.partition.text_type import is_possible_narrative_text

    assert is_possible_narrative_text(sentence)


@pytest.mark.parametrize(
    "heading",
    [
        "General conditions",
        "Limits of liability",
        "Claim limit",
        "Schedule of benefits",
        "SECTION 1: PROPERTY",
        "May 2024",
    ],
)
def test_headings_are_no_sentences(heading: str) -> None:
    prepare()
    from unstructured.partition.text_type import is_possible_narrative_text

    assert not is_possible_narrative_text(heading)


def test_sentences_are_counted() -> None:
    prepare()
    from unstructured.partition.text_type import sentence_count

    assert sentence_count("The insurer pays. The insured notifies. All is well.") == 3


def test_the_local_model_is_used_even_after_another_was_asked() -> None:
    prepare()
    prepare()
    from unstructured.nlp import tokenize

    assert tokenize._get_nlp().meta["name"] == "pipeline"
    assert tokenize._get_nlp().pipe_names == ["sentencizer", "tvdb_verbs"]
