"""From lines on pages to elements: order, furniture, paragraphs, titles, lists and tables."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from unstructured.documents.elements import Element

from tvdb_pipeline.parsing.layout.structure import structure
from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parsed import PageReport
from tvdb_pipeline.parsing.pdf.words import HYPHEN

WIDTH, HEIGHT, SIZE = 612.0, 792.0, 11.0
STEP = 1.2 * SIZE
LETTER = 0.5  # of the size: the width of an average letter
PROSE = [
    "The insurer pays for loss of or damage to the insured building that is",
    "caused by fire, lightning, explosion or the fall of an aircraft, up to",
    "the limit of liability that is stated in the schedule of this policy.",
]


def at(x: float, y: float, text: str, size: float = SIZE, *, bold: bool = False) -> TextLine:
    """A line whose top is at `y`."""
    return TextLine(text, Box(x, y, x + LETTER * size * len(text), y + size), size, bold)


def block(x: float, y: float, texts: Sequence[str]) -> list[TextLine]:
    return [at(x, y + STEP * number, text) for number, text in enumerate(texts)]


def page(lines: Sequence[TextLine], rules: Sequence[Box] = (), number: int = 1) -> PageLines:
    return PageLines(PageReport(number, "text"), WIDTH, HEIGHT, list(lines), list(rules))


def elements(*lines: TextLine, rules: Sequence[Box] = ()) -> list[Element]:
    return structure([page(lines, rules)])


def found(found_: Sequence[Element]) -> list[tuple[str, str]]:
    return [(element.category, element.text) for element in found_]


def grid(xs: Sequence[float], ys: Sequence[float]) -> list[Box]:
    return [Box(x, ys[0], x + 0.5, ys[-1]) for x in xs] + [Box(xs[0], y, xs[-1], y + 0.5) for y in ys]


# Paragraphs


def test_lines_of_a_paragraph_are_joined() -> None:
    assert found(elements(*block(72, 100, PROSE))) == [("NarrativeText", " ".join(PROSE))]


def test_a_word_broken_by_a_hyphen_is_whole_again() -> None:
    lines = ["The insurer pays for loss of or damage to the build" + HYPHEN, "ing and to what is in it."]
    assert (
        elements(*block(72, 100, lines))[0].text
        == "The insurer pays for loss of or damage to the building and to what is in it."
    )


def test_a_hyphen_inside_a_line_stays_a_hyphen() -> None:
    assert elements(*block(72, 100, [f"The co{HYPHEN}insured is named below here."]))[0].text == (
        "The co-insured is named below here."
    )


def test_space_between_lines_parts_paragraphs() -> None:
    lines = block(72, 100, PROSE) + block(72, 100 + 3 * STEP + SIZE, PROSE)
    assert found(elements(*lines)) == [("NarrativeText", " ".join(PROSE))] * 2


def test_an_indented_first_line_begins_a_paragraph() -> None:
    lines = block(72, 100, PROSE)
    lines += [at(92, 100 + 3 * STEP, "A second paragraph begins with an indent here")]
    lines += block(72, 100 + 4 * STEP, PROSE[1:])
    assert [element.text[:14] for element in elements(*lines)] == ["The insurer pa", "A second parag"]


def test_pieces_of_one_line_are_put_together_from_left_to_right() -> None:
    assert elements(at(300, 100, "POL-2024-17"), at(72, 100, "Policy number:"))[0].text == "Policy number: POL-2024-17"


def test_the_order_lines_come_in_does_not_matter() -> None:
    lines = [at(72, 80, "Cover", 16), *block(72, 120, PROSE), *block(72, 200, ["a) fire", "b) flood"])]
    expected = found(elements(*lines))
    for seed in range(5):
        shuffled = list(lines)
        random.Random(seed).shuffle(shuffled)
        assert found(elements(*shuffled)) == expected


# Titles and lists


@pytest.mark.parametrize(("size", "bold"), [(16.0, False), (SIZE, True)])
def test_a_short_line_that_is_larger_or_bold_is_a_title(size: float, bold: bool) -> None:
    lines = [at(72, 80, "Covered losses", size, bold=bold), *block(72, 110, PROSE)]
    assert found(elements(*lines)) == [("Title", "Covered losses"), ("NarrativeText", " ".join(PROSE))]


@pytest.mark.parametrize("text", ["2.1 Exclusions of this section", "Section 4 What is not covered", "SCHEDULE B"])
def test_a_numbered_heading_is_a_title_even_in_plain_type(text: str) -> None:
    assert found(elements(at(72, 70, text), *block(72, 110, PROSE)))[0] == ("Title", text)


def test_a_bold_sentence_is_not_a_title() -> None:
    lines = [at(72, 80, "This is important to know before you sign.", bold=True), *block(72, 110, PROSE)]
    assert found(elements(*lines))[0][0] == "NarrativeText"


def test_a_large_number_is_not_a_title() -> None:
    assert found(elements(at(72, 60, "$5,000", 18), *block(72, 110, PROSE)))[0][0] == "NarrativeText"


def test_larger_titles_stand_above_smaller_ones() -> None:
    lines = [at(72, 60, "Policy", 20), at(72, 90, "Part one", 15), *block(72, 120, PROSE)]
    lines += [at(72, 200, "Part two", 15), *block(72, 230, PROSE)]
    depths = {
        element.text: element.metadata.category_depth for element in elements(*lines) if element.category == "Title"
    }
    assert depths == {"Policy": 0, "Part one": 1, "Part two": 1}


@pytest.mark.parametrize(
    "marks", [("•", "•", "•"), ("1.", "2.", "3."), ("a)", "b)", "c)"), ("(i)", "(ii)", "(iii)"), ("-", "-", "-")]
)
def test_marked_lines_are_list_items(marks: tuple[str, ...]) -> None:
    items = [f"{mark} loss caused by the insured, number {number}" for number, mark in enumerate(marks)]
    assert found(elements(*block(72, 100, items))) == [("ListItem", item) for item in items]


def test_a_bullet_that_stands_apart_belongs_to_its_text() -> None:
    lines = [
        at(72, 100, "•"),
        at(90, 100, "loss by fire or flood"),
        at(72, 100 + STEP, "•"),
        at(90, 100 + STEP, "loss by hail or storm"),
    ]
    assert found(elements(*lines)) == [("ListItem", "• loss by fire or flood"), ("ListItem", "• loss by hail or storm")]


def test_a_list_item_goes_on_over_lines() -> None:
    lines = [
        at(72, 100, "• loss or damage that is caused by the insured with intent or by"),
        at(84, 100 + STEP, "gross neglect of duty"),
    ]
    ((kind, text),) = found(elements(*lines))
    assert (kind, text[-28:]) == ("ListItem", "intent or by gross neglect of duty"[-28:])


# Columns


def column(x: float, name: str, count: int = 14) -> list[TextLine]:
    return block(x, 100, [f"{name} column line {number:02} goes on and on" for number in range(count)])


def test_columns_are_read_one_after_the_other() -> None:
    text = " ".join(text for _, text in found(elements(*column(50, "left"), *column(320, "right"))))
    assert text.index("left column line 13") < text.index("right column line 00")


def test_three_columns_too() -> None:
    lines = [
        line
        for x, name in ((40, "one"), (235, "two"), (430, "six"))
        for line in block(x, 100, [f"{name} line {n:02} of text, more" for n in range(12)])
    ]
    text = " ".join(text for _, text in found(elements(*lines)))
    assert text.index("one line 11") < text.index("two line 00") < text.index("two line 11") < text.index("six line 00")


def test_a_heading_over_both_columns_comes_first_and_a_note_below_them_last() -> None:
    lines = [at(50, 60, "A heading that reaches over both of the columns below it", 18)]
    lines += [*column(50, "left"), *column(320, "right"), *block(50, 340, [PROSE[0] + " and " + PROSE[1]])]
    text = [text for _, text in found(elements(*lines))]
    assert text[0].startswith("A heading")
    assert text[-1].startswith(PROSE[0])


# Headers and footers


def long_document(count: int) -> list[PageLines]:
    pages: list[PageLines] = []
    for number in range(1, count + 1):
        lines = [
            at(72, 30, f"Harbor Mutual - Policy {number}"),
            *block(72, 100, PROSE),
            *block(72, 300, [f"Clause {number}. It ends."]),
        ]
        lines += [at(280, 760, f"Page {number} of {count}")]
        pages.append(page(lines, number=number))
    return pages


def test_lines_that_come_back_at_the_edges_are_headers_and_footers() -> None:
    result = structure(long_document(5))
    kinds = [(element.category, element.metadata.page_number) for element in result]
    assert [number for kind, number in kinds if kind == "Header"] == [1, 2, 3, 4, 5]
    assert [number for kind, number in kinds if kind == "Footer"] == [1, 2, 3, 4, 5]
    assert not any("Harbor" in element.text for element in result if element.category not in ("Header", "Footer"))
    assert sum(" ".join(PROSE) in element.text for element in result) == 5, "text away from the edges may come back"


def test_a_first_line_that_does_not_come_back_is_text() -> None:
    pages = long_document(5)
    pages[2].lines.append(at(72, 45, "Endorsement for the flood zone"))
    assert any(
        "Endorsement" in element.text for element in structure(pages) if element.category not in ("Header", "Footer")
    )


def test_a_single_page_has_no_header() -> None:
    kinds = {element.category for element in structure(long_document(1))}
    assert not kinds & {"Header", "Footer"}


@pytest.mark.parametrize("number", ["- {} -", "{}", "page {}", "{}/2"])
def test_a_page_number_alone_is_furniture_from_the_second_page_on(number: str) -> None:
    pages = [page([*block(72, 100, PROSE), at(300, 765, number.format(n))], number=n) for n in (1, 2)]
    assert [element.text for element in structure(pages) if element.category == "Footer"] == [
        number.format(n) for n in (1, 2)
    ]


# Tables


def cells_at(xs: Sequence[float], y: float, row: Sequence[str]) -> list[TextLine]:
    return [at(x, y, cell) for x, cell in zip(xs, row, strict=True) if cell]


ROWS = [["Cover", "Limit", "Excess"], ["Fire", "$5,000", "$100"], ["Flood", "$900", "$50"], ["Hail", "$700", "$25"]]


def html_cells(element: Element) -> list[list[str]]:
    html = element.metadata.text_as_html
    assert html is not None
    from lxml import html as lxml_html

    return [
        [cell.text_content() for cell in row.xpath("./td|./th")] for row in lxml_html.fromstring(html).xpath("//tr")
    ]


def test_a_ruled_grid_is_a_table_of_its_cells() -> None:
    xs, ys = [70, 200, 300, 400], [190, 210, 230, 250, 270]
    lines = [line for number, row in enumerate(ROWS) for line in cells_at([75, 205, 305], 194 + 20 * number, row)]
    result = elements(*block(72, 100, PROSE), *lines, *block(72, 300, PROSE), rules=grid(xs, ys))
    assert [element.category for element in result] == ["NarrativeText", "Table", "NarrativeText"]
    assert html_cells(result[1]) == ROWS
    assert result[1].text.splitlines() == [
        "Cover: Fire; Limit: $5,000; Excess: $100",
        "Cover: Flood; Limit: $900; Excess: $50",
        "Cover: Hail; Limit: $700; Excess: $25",
    ]


def test_a_cell_of_several_lines_is_one_cell() -> None:
    lines = [
        *cells_at([75, 205], 194, ["Cover", "What is paid"]),
        *cells_at([75, 205], 214, ["Fire and", "the cost of"]),
        *cells_at([75, 205], 226, ["lightning", "repair"]),
        *cells_at([75, 205], 244, ["Flood", "nothing"]),
    ]
    result = elements(*lines, rules=grid([70, 200, 300], [190, 210, 240, 260]))
    assert html_cells(result[0]) == [
        ["Cover", "What is paid"],
        ["Fire and lightning", "the cost of repair"],
        ["Flood", "nothing"],
    ]


def test_an_empty_cell_does_not_move_the_others() -> None:
    rows = [ROWS[0], ["Fire", "", "$100"], ["", "$900", "$50"]]
    lines = [line for number, row in enumerate(rows) for line in cells_at([75, 205, 305], 194 + 20 * number, row)]
    result = elements(*lines, rules=grid([70, 200, 300, 400], [190, 210, 230, 250]))
    assert html_cells(result[0]) == rows


def test_column_names_over_empty_cells_are_in_the_text() -> None:
    rows = [["Cover wanted", "Yes", "No"], ["Fire", "", ""], ["Flood", "", ""]]
    lines = [line for number, row in enumerate(rows) for line in cells_at([75, 205, 305], 194 + 20 * number, row)]
    (table,) = elements(*lines, rules=grid([70, 200, 300, 400], [190, 210, 230, 250]))
    assert all(word in table.text for row in rows for word in row)


def test_two_grids_are_two_tables_in_order() -> None:
    rules: list[Box] = []
    lines = block(72, 100, PROSE)
    for top, name in ((190, "one"), (400, "two")):
        rules += grid([70, 200, 300], [top, top + 20, top + 40])
        lines += [
            line
            for number in range(2)
            for line in cells_at([75, 205], top + 4 + 20 * number, [f"{name} {number}", "x"])
        ]
        lines += block(72, top + 60, PROSE)
    result = elements(*lines, rules=rules)
    assert [element.category for element in result] == [
        "NarrativeText",
        "Table",
        "NarrativeText",
        "Table",
        "NarrativeText",
    ]
    assert "one" in result[1].text
    assert "two" in result[3].text


def test_a_box_around_text_is_not_a_table() -> None:
    result = elements(*block(80, 100, PROSE), rules=grid([70, 560], [90, 150]))
    assert found(result) == [("NarrativeText", " ".join(PROSE))]


def test_rows_that_stand_under_one_another_are_a_table_without_rules() -> None:
    lines = [line for number, row in enumerate(ROWS) for line in cells_at([72, 250, 400], 200 + 16 * number, row)]
    result = elements(*block(72, 100, PROSE), *lines, *block(72, 320, PROSE))
    assert [element.category for element in result] == ["NarrativeText", "Table", "NarrativeText"]
    assert html_cells(result[1]) == ROWS


def test_labels_and_values_are_not_taken_for_a_table_of_three_columns() -> None:
    lines = [
        line
        for number in range(4)
        for line in cells_at([72, 250], 200 + 16 * number, [f"Label {number}:", f"value {number}"])
    ]
    assert not any(element.category == "Table" for element in elements(*lines))


# All together


def test_every_element_knows_its_page_and_place() -> None:
    for element in structure(long_document(3)):
        assert element.metadata.page_number in (1, 2, 3)
        coordinates = element.metadata.coordinates
        assert coordinates is not None
        assert coordinates.system is not None
        assert (coordinates.system.width, coordinates.system.height) == (612, 792)


def test_no_line_is_lost_or_doubled_whatever_lies_where() -> None:
    for seed in range(100):
        chance = random.Random(seed)
        lines = [
            at(
                chance.choice([50, 60, 200, 320, 400]),
                chance.randint(20, 760),
                f"w{seed}x{number}x and some words",
                chance.choice([9, 11, 16]),
            )
            for number in range(chance.randint(1, 40))
        ]
        rules = grid([45, 190, 310, 560], sorted(chance.sample(range(100, 700), 4))) if seed % 2 else []
        texts = [element.metadata.text_as_html or element.text for element in elements(*lines, rules=rules)]
        counts = [" ".join(texts).count(f"w{seed}x{number}x") for number in range(len(lines))]
        assert counts == [1] * len(lines), seed


def test_a_page_without_lines_gives_nothing() -> None:
    assert structure([page([])]) == []
    assert structure([]) == []
