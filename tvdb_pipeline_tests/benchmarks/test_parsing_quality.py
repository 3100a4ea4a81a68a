"""The measures of benchmarks/parsing_quality, on texts and tables whose score can be counted by hand."""

from __future__ import annotations

import pytest

from benchmarks.parsing_quality.measures import cells_found, holds_value, plain_words, score, words
from benchmarks.parsing_quality.renditions import RENDITIONS
from benchmarks.parsing_quality.truths import RENDERED, example_pages

FEES = [["Code", "Service", "Fee"], ["A1", "Visit", "$35"], ["A2", "Scan", "$275"]]


def test_equal_texts_have_no_errors_whatever_the_white_space() -> None:
    known = score("The fee\nis $1,250.00.", "The  fee is $1,250.00.\n")
    assert (known.character_errors, known.word_errors) == (0, 0)
    assert known.words == known.found == known.in_order == 4


def test_each_wrong_missing_or_added_character_is_one_error() -> None:
    assert score("claim form", "clain form").character_errors == 1
    assert score("claim form", "claim frm").character_errors == 1
    assert score("claim form", "claim forms").character_errors == 1
    assert score("claim form", "").character_errors == 10


def test_each_wrong_missing_or_added_word_is_one_error() -> None:
    assert score("a claim is paid", "a clam is paid").word_errors == 1
    assert score("a claim is paid", "a claim paid").word_errors == 1
    assert score("a claim is paid", "a claim is not paid").word_errors == 1


def test_a_word_is_found_as_often_as_it_is_read_and_no_more() -> None:
    known = score("paid paid paid denied", "paid denied denied")
    assert (known.words, known.found) == (4, 2)


def test_an_amount_is_one_word() -> None:
    assert words("It cost $1,250.00, in-network (12/31/2025).") == [
        "it",
        "cost",
        "1,250.00",
        "in-network",
        "12/31/2025",
    ]
    assert score("$1,250.00", "$1,260.00").found == 0


def test_two_columns_read_across_are_all_found_but_out_of_order() -> None:
    known = score("one two three four\nfive six seven eight", "one two five six\nthree four seven eight")
    assert known.found == known.words == 8
    assert known.in_order == 6


def test_scores_of_pages_add_up() -> None:
    both = score("one two", "one tvo") + score("three", "three")
    assert (both.words, both.found, both.word_errors, both.character_errors) == (3, 2, 1, 1)
    assert both.characters == 7 + 5


def test_cells_count_under_their_column_and_in_their_row() -> None:
    assert cells_found(FEES, [FEES]) == (4, 4)
    in_another_order = [["Code", "Fee", "Service"], ["A2", "$275", "Scan"], ["A1", "$35", "Visit"]]
    assert cells_found(FEES, [in_another_order]) == (4, 4)


def test_cells_in_another_row_or_column_are_wrong() -> None:
    other_row = [FEES[0], ["A1", "Visit", "$275"], ["A2", "Scan", "$35"]]
    assert cells_found(FEES, [other_row]) == (2, 4)
    other_column = [FEES[0], ["A1", "$35", "Visit"], ["A2", "Scan", "$275"]]
    assert cells_found(FEES, [other_column]) == (2, 4)


def test_a_table_without_the_names_of_its_columns_has_no_cell_right() -> None:
    assert cells_found(FEES, [FEES[1:]]) == (0, 4)
    assert cells_found(FEES, []) == (0, 4)


def test_the_table_that_fits_best_is_taken() -> None:
    assert cells_found(FEES, [[["Tier", "Copay"], ["1", "$5"]], FEES]) == (4, 4)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3141.56, "Due: $3,141.56;"),
        (24738, "Distance: 24,738 miles"),
        (24738, "24738"),
        (0, "Interest: $0.00"),
        (3451, "| 3,451.0 | 237.4"),
        (-116.08, "Total due: ($116.08)"),
        (0.7359, "Rate: 0.7359"),
        ("Juniper Gate Learning Center, LLC", "INSURED: JUNIPER GATE\nLEARNING CENTER, LLC."),
        ("04/01/2026", "from 04/01/2026, noon"),
    ],
)
def test_a_value_is_found_however_it_is_written(value: object, text: str) -> None:
    assert holds_value(value, plain_words(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("A6572", "LR25-A65721"),
        ("118", "unit 1180"),
        (24738, "24,739"),
        ("Walker, Linda", "Walker, Lin"),
        (12, "112 and 12a"),
    ],
)
def test_part_of_a_word_is_not_the_value(value: object, text: str) -> None:
    assert not holds_value(value, plain_words(text))


def test_every_page_drawn_again_has_text_to_find_and_one_is_left_as_it_is() -> None:
    known = {(page.document, page.page): page for page in example_pages()}
    assert all(known[page].kind == "text" and known[page].text for page in RENDERED)
    assert "clean" in RENDITIONS


def test_a_title_read_as_the_first_row_does_not_hide_the_names_of_the_columns() -> None:
    assert cells_found(FEES, [[["Fees of 2025", "", ""], *FEES]]) == (4, 4)
    assert cells_found(FEES, [[["", *row] for row in FEES]]) == (4, 4)


@pytest.mark.parametrize(("value", "text"), [(0.392, "0.39"), (3141.56, "3,142"), ("001", "1"), ("nan", "1")])
def test_a_rounded_or_otherwise_equal_number_is_not_the_value(value: object, text: str) -> None:
    assert not holds_value(value, plain_words(text))
