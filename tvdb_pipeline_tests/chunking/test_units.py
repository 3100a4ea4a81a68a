"""How elements are split into units, and what each unit knows."""

from __future__ import annotations

import pytest
from unstructured.documents.elements import (
    Element,
    ElementMetadata,
    Footer,
    Header,
    ListItem,
    NarrativeText,
    PageBreak,
    PageNumber,
    Table,
    Text,
    Title,
)

from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.chunking.units import MAX_UNIT_TOKENS, Strength, units


def on(page: int, kind: type[Text], text: str, depth: int | None = None) -> Element:
    return kind(text=text, metadata=ElementMetadata(page_number=page, category_depth=depth))


def texts(*elements: Element) -> list[str]:
    return [unit.text for unit in units(elements)]


def strengths(*elements: Element) -> list[Strength]:
    return [unit.strength for unit in units(elements)]


def test_a_paragraph_is_split_into_sentences() -> None:
    found = units([NarrativeText("It pays. You do not! Why? See Part 2.")])
    assert [unit.text for unit in found] == ["It pays.", "You do not!", "Why?", "See Part 2."]
    assert [unit.strength for unit in found] == [Strength.PARAGRAPH, *[Strength.SENTENCE] * 3]


@pytest.mark.parametrize("text", ["Pay 1.5 times.", "See e.g. your plan, etc. for more.", "v1.2 is out"])
def test_a_full_stop_inside_a_sentence_is_not_its_end(text: str) -> None:
    assert texts(NarrativeText(text)) == [text]


@pytest.mark.parametrize(
    "text", ['He said "Stop." Then he left.', "(See 4.) The end.", "It was (as agreed). [Note.] Next."]
)
def test_closing_quotes_and_brackets_stay_with_their_sentence(text: str) -> None:
    assert " ".join(texts(NarrativeText(text))) == text


def test_a_table_is_split_into_its_rows() -> None:
    table = Table("Cover: Fire; Limit: 1. Or 2\n\nCover: Flood; Limit: 5")
    assert texts(table) == ["Cover: Fire; Limit: 1. Or 2", "Cover: Flood; Limit: 5"]
    assert strengths(table) == [Strength.PARAGRAPH, Strength.ROW]


def test_kinds_of_elements_begin_something_new_more_or_less_strongly() -> None:
    assert strengths(Title("Cover"), NarrativeText("It pays."), ListItem("a fire"), Text("Note")) == [
        Strength.TITLE, Strength.PARAGRAPH, Strength.ITEM, Strength.PARAGRAPH,
    ]  # fmt: skip


def test_furniture_and_empty_elements_are_left_out() -> None:
    assert texts(Header("Policy"), Footer("Page"), PageNumber("3"), PageBreak(""), Text("  "), Text("Words")) == [
        "Words"
    ]


def test_space_is_made_plain() -> None:
    assert texts(NarrativeText("  It\tpays \n twice\u00a0over. ")) == ["It pays twice over."]


def test_a_sentence_a_page_broke_is_one_sentence_on_two_pages() -> None:
    found = units(
        [on(1, NarrativeText, "The insurer pays all"), on(2, NarrativeText, "costs of repair. Then it stops.")]
    )
    assert [unit.text for unit in found] == ["The insurer pays all costs of repair.", "Then it stops."]
    assert [unit.strength for unit in found] == [Strength.PARAGRAPH, Strength.SENTENCE]
    assert [(unit.page, unit.last_page) for unit in found] == [(1, 2), (2, 2)]


def test_furniture_between_two_pages_does_not_break_a_sentence() -> None:
    broken = [on(1, NarrativeText, "It pays all"), on(1, Footer, "1"), on(2, Header, "Policy"), on(2, Text, "costs.")]
    assert texts(*broken) == ["It pays all costs."]


def test_a_reader_may_say_that_a_paragraph_goes_on() -> None:
    second = on(1, NarrativeText, "Harbor Street is covered.")
    second.metadata.is_continuation = True
    assert texts(on(1, NarrativeText, "The house in"), second) == ["The house in Harbor Street is covered."]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NarrativeText("It pays."), NarrativeText("all of it")),
        (NarrativeText("It pays"), NarrativeText("All of it")),
        (Title("Cover"), NarrativeText("all of it")),
        (Table("a\nb"), NarrativeText("all of it")),
    ],
)
def test_a_paragraph_of_its_own_does_not_go_on_another(before: Element, after: Element) -> None:
    assert strengths(before, after)[-1] == Strength.PARAGRAPH


def test_the_section_is_the_titles_above() -> None:
    found = units(
        [
            on(1, NarrativeText, "Before."),
            on(1, Title, "Policy", 0),
            on(1, Title, "Part  A", 1),
            on(1, NarrativeText, "In A."),
            on(2, Title, "Part B", 1),
            on(2, NarrativeText, "In B."),
            on(3, Title, "Annex", 0),
            on(3, NarrativeText, "In annex."),
        ]
    )
    sections = {unit.text: unit.section for unit in found}
    assert sections["Before."] == ()
    assert sections["In A."] == ("Policy", "Part A")
    assert sections["Part B"] == sections["In B."] == ("Policy", "Part B")
    assert sections["In annex."] == ("Annex",)


def test_an_element_without_a_page_is_on_the_first() -> None:
    assert [unit.page for unit in units([Text("Words")])] == [1]


def test_a_long_sentence_is_cut_at_spaces() -> None:
    sentence = " ".join(f"word{number}" for number in range(700))
    found = units([NarrativeText(sentence)])
    assert " ".join(unit.text for unit in found) == sentence
    assert all(unit.tokens == count_tokens(unit.text) <= MAX_UNIT_TOKENS for unit in found)
    assert {unit.strength for unit in found[1:]} == {Strength.CONTINUATION}


@pytest.mark.parametrize("text", ["x1" * 3000, "漢字" * 900, "𒀀" * 160, "ꙮ" * 159])
def test_no_unit_is_too_long_whatever_it_is_made_of(text: str) -> None:
    found = units([NarrativeText(text)])
    assert "".join(unit.text for unit in found) == text
    assert max(unit.tokens for unit in found) <= MAX_UNIT_TOKENS
