"""Properties of cutting that hold for any document."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unstructured.documents.elements import Element, ElementMetadata, ListItem, NarrativeText, Table, Title

from tvdb_pipeline.chunking.chunks import chunk, size_report
from tvdb_pipeline.chunking.cuts import MAX_CHUNK_TOKENS, cut
from tvdb_pipeline.chunking.units import units

WORDS = st.one_of(
    st.sampled_from(
        ["insured", "the", "Cover", "pays.", "$1,250.00", "POL-1", "(see", "4.)", '"stop."', "Why?", "12%", "e.g.", "é",
         "漢字", "😀", "'s", "...", "A;", "3:", "[x]", "—", "loss)", "deductible", "1", "23"]
    ),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12),
)  # fmt: skip
PHRASES = st.lists(WORDS, min_size=1, max_size=40).map(" ".join)
KINDS = st.sampled_from([Title, NarrativeText, NarrativeText, ListItem])


@st.composite
def elements(draw: st.DrawFn) -> Element:
    page = ElementMetadata(page_number=draw(st.integers(1, 9)))
    if draw(st.integers(0, 4)) == 0:
        return Table("\n".join(draw(st.lists(PHRASES, min_size=1, max_size=8))), metadata=page)
    return draw(KINDS)(draw(PHRASES), metadata=page)


DOCUMENTS = st.lists(elements(), min_size=1, max_size=25)


def words(texts: list[str]) -> list[str]:
    return [word for text in texts for word in text.split()]


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS)
def test_no_word_is_lost_or_moved(document: list[Element]) -> None:
    assert words([piece.text for piece in chunk(document)]) == words([element.text for element in document])


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS)
def test_every_chunk_holds_something_and_fits(document: list[Element]) -> None:
    assert size_report(chunk(document)).passed


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_the_same_elements_give_the_same_chunks(document: list[Element]) -> None:
    assert chunk(document) == chunk(list(document))


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3000))
def test_a_text_without_spaces_keeps_every_character(text: str) -> None:
    solid = "".join(text.split())
    assert "".join("".join(piece.text.split()) for piece in chunk([NarrativeText(solid)])) == solid


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, st.integers(1, 300), st.integers(170, 600))
def test_groups_fit_any_limit_that_holds_a_unit(document: list[Element], window: int, limit: int) -> None:
    pieces = units(document)
    groups = cut(pieces, window, limit)
    assert [unit for group in groups for unit in group] == pieces
    assert all(sum(unit.tokens + 1 for unit in group) <= limit for group in groups)


def test_nothing_gives_nothing() -> None:
    assert cut([]) == []


def sentences(count: int, seed: str = "") -> list[Element]:
    """Each sentence a paragraph of 14 tokens or so, all different."""
    return [
        NarrativeText(f"The insured reports {hashlib.sha256(f'{seed}{number}'.encode()).hexdigest()[:8]} in writing.")
        for number in range(count)
    ]


def test_chunks_are_of_a_useful_size() -> None:
    sizes = [piece.tokens for piece in chunk(sentences(2000))]
    assert 130 < sum(sizes) / len(sizes) < 350
    assert min(sizes) > 30


def test_a_cut_prefers_to_fall_before_a_title() -> None:
    document = [*sentences(12, "a"), Title("Exclusions"), *sentences(12, "b")]
    assert any(piece.text.startswith("Exclusions\n") for piece in chunk(document))


def test_a_cut_depends_on_nearby_text_only() -> None:
    middle = sentences(60, "middle")
    one = {piece.text for piece in chunk([*sentences(40, "x"), *middle, *sentences(40, "y")])}
    two = {piece.text for piece in chunk([*sentences(90, "p"), *middle, *sentences(20, "q")])}
    assert len(one & two) >= 2


def test_where_pages_end_makes_no_difference() -> None:
    text = " ".join(element.text for element in sentences(80))
    words = text.split()
    for place in (100, 313, 440):
        halves = [
            NarrativeText(" ".join(words[:place]), metadata=ElementMetadata(page_number=1)),
            NarrativeText(" ".join(words[place:]), metadata=ElementMetadata(page_number=2, is_continuation=True)),
        ]
        assert [piece.text for piece in chunk(halves)] == [piece.text for piece in chunk([NarrativeText(text)])]


@pytest.mark.parametrize("kind", [ListItem, NarrativeText])
def test_thousands_of_equal_lines_are_cut_like_any_others(kind: type[ListItem]) -> None:
    pieces = chunk([kind("Not covered under this plan.")] * 9000)
    assert size_report(pieces).passed
    assert sum(piece.text.count("Not covered") for piece in pieces) == 9000


def test_the_limit_is_that_of_the_design() -> None:
    assert MAX_CHUNK_TOKENS == 512
