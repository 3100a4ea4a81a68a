"""Borders of columns that stand closer than words may be apart."""

from __future__ import annotations

from tvdb_pipeline.parsing.lines import Box
from tvdb_pipeline.parsing.pdf.corridors import find_corridors


def row(number: int, *edges: tuple[float, float]) -> list[Box]:
    """Words with these left and right edges, on lines 12 points high."""
    return [Box(left, 20.0 * number, right, 20.0 * number + 12) for left, right in edges]


def test_the_same_gap_in_three_rows_is_a_corridor() -> None:
    rows = [row(number, (100, 130), (138, 200 + number)) for number in range(3)]
    found = find_corridors(rows)
    assert len(found) == 3
    assert all(130 < box.left == box.right < 138 for box in found)


def test_two_rows_are_not_enough() -> None:
    assert find_corridors([row(number, (100, 130), (138, 200)) for number in range(2)]) == []


def test_spaces_of_words_are_no_corridor_however_often_they_meet() -> None:
    assert find_corridors([row(number, (100, 130), (133, 200)) for number in range(9)]) == []


def test_gaps_of_justified_lines_at_different_places_are_no_corridor() -> None:
    assert find_corridors([row(number, (100, 130 + 3 * number), (138 + 3 * number, 200)) for number in range(9)]) == []


def test_rows_far_apart_say_nothing_of_each_other() -> None:
    assert find_corridors([row(20 * number, (100, 130), (138, 200)) for number in range(3)]) == []


def test_a_row_that_reaches_over_the_gap_ends_the_corridor() -> None:
    rows = [row(number, (100, 130), (138, 200)) for number in range(4)]
    rows[2] = row(2, (100, 200))
    assert find_corridors(rows) == []


def test_rows_of_another_column_of_the_page_do_not() -> None:
    rows = [line for number in range(3) for line in (row(number, (100, 130), (138, 200)), row(number, (300, 480)))]
    assert len(find_corridors(rows)) == 3
