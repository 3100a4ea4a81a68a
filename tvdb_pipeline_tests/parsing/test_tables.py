"""Tables as text, and back from HTML."""

from __future__ import annotations

import pytest

from tvdb_pipeline.parsing.tables import html_table_text, rows_from_html, rows_to_html, rows_to_text


def test_each_value_names_its_column() -> None:
    rows = [["Cover", "Limit", "Excess"], ["Fire", "5000", "100"], ["Flood", "", "250"]]
    assert rows_to_text(rows) == "Cover: Fire; Limit: 5000; Excess: 100\nCover: Flood; Excess: 250"


def test_a_first_row_of_figures_is_no_header() -> None:
    assert rows_to_text([["1", "2", "3"], ["a", "b", "c"]]) == "1 | 2 | 3\na | b | c"


def test_repeated_names_are_no_header() -> None:
    assert rows_to_text([["A", "a", "B"], ["x", "y", "z"]]) == "A | a | B\nx | y | z"


def test_years_may_head_columns_of_figures() -> None:
    rows = [["Premium", "2023", "2024"], ["Home", "100", "110"]]
    assert rows_to_text(rows) == "Premium: Home; 2023: 100; 2024: 110"


def test_an_empty_corner_leaves_the_row_label_bare() -> None:
    assert rows_to_text([["", "Home", "Motor"], ["Excess", "100", "200"]]) == "Excess; Home: 100; Motor: 200"


@pytest.mark.parametrize(
    "rows",
    [
        [["Insured:", "J. Smith"], ["Broker:", "ABC Ltd"], ["Phone:", "555-0100"]],
        [["Policy", "HO-123"], ["Insured", "J. Smith"]],
        [["Insured", "J. Smith"], ["Policy", "HO-123"], ["Broker", "ABC Ltd"], ["Since", "2019"]],
    ],
)
def test_a_form_of_names_and_values_has_no_header(rows: list[list[str]]) -> None:
    assert rows_to_text(rows).splitlines()[0] == " | ".join(rows[0])


def test_titles_above_and_section_names_inside_stand_alone() -> None:
    rows = [["Schedule", "", ""], ["Item", "Sum", "Rate"], ["Buildings", "", ""], ["House", "900", "2"]]
    assert rows_to_text(rows) == "Schedule\nBuildings\nItem: House; Sum: 900; Rate: 2"


def test_group_names_are_joined_to_the_names_below() -> None:
    rows = [["", "Home", "Home", "Motor"], ["Year", "Limit", "Excess", "Limit"], ["2024", "10", "1", "20"]]
    assert rows_to_text(rows) == "Year: 2024; Home Limit: 10; Home Excess: 1; Motor Limit: 20"


def test_known_header_rows_override_the_guess() -> None:
    rows = [["1", "2"], ["a", "b"]]
    assert rows_to_text(rows, header_rows=1) == "1: a; 2: b"
    assert rows_to_text([["Name", "Sum"], ["Fire", "5"]], header_rows=0) == "Name | Sum\nFire | 5"


def test_ragged_and_empty_rows_lose_no_cell() -> None:
    assert rows_to_text([["a", "b"], [], ["1", "2", "3"]]) == "a | b\n1 | 2 | 3"
    assert rows_to_text([]) == rows_to_text([[], ["", " "]]) == ""


def test_empty_cells_keep_columns_apart_without_a_header() -> None:
    assert rows_to_text([["1", "", "3"], ["4", "5", "6"]]) == "1 |  | 3\n4 | 5 | 6"


def test_html_round_trip_escapes_markup() -> None:
    rows = [["a < b", 'c & "d"'], ["", "x"]]
    assert "<script>" not in rows_to_html([["<script>alert(1)</script>"]])
    assert rows_from_html(rows_to_html(rows, header_rows=1)) == rows


def test_cells_spanning_rows_and_columns_are_repeated_where_they_name_something() -> None:
    table = (
        "<table><tr><th>Kind</th><th colspan=2>Limit</th></tr>"
        "<tr><td rowspan=2>Fire</td><td>1</td><td>2</td></tr><tr><td colspan=2>3</td></tr></table>"
    )
    assert rows_from_html(table) == [["Kind", "Limit", "Limit"], ["Fire", "1", "2"], ["Fire", "3", ""]]
    assert html_table_text(table).splitlines()[1] == "Kind: Fire; Limit: 3"


def test_words_in_a_cell_are_parted_only_where_the_page_parts_them() -> None:
    assert rows_from_html("<table><tr><td>F<b>oo</b>bar<br>baz<p>qux</p></td></tr></table>") == [["Foobar baz qux"]]


def test_row_labels_marked_as_headings_do_not_make_a_header_row() -> None:
    table = "<table><tr><th>Insured</th><td>Smith</td></tr><tr><th>Broker</th><td>Jones</td></tr></table>"
    assert html_table_text(table) == "Insured | Smith\nBroker | Jones"


@pytest.mark.parametrize("markup", ["", "   ", "<p>no table</p>", "<table></table>", "<table><tr></tr></table>"])
def test_html_without_cells_gives_no_text(markup: str) -> None:
    assert html_table_text(markup) == ""


def test_absurd_spans_are_bounded() -> None:
    table = "<table><tr><td colspan=999999999>a</td><td rowspan=999999999>b</td></tr><tr><td>c</td></tr></table>"
    assert sum(len(row) for row in rows_from_html(table)) < 500
