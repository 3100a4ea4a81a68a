"""PDFs built here, byte by byte: what is read from them and which are refused."""

from __future__ import annotations

import pytest

from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.parse import ParseOptions, parse
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pdf.reading import read_pdf
from tvdb_pipeline_tests.pdf_writer import BOGUS_ENCRYPTION, UNKNOWN_ENCRYPTION, Page, pdf

PROSE = [
    "This policy covers loss of or damage to the insured building caused by",
    "fire, lightning, explosion or the fall of an aircraft, up to the limit of",
    "liability that is stated in the schedule of this policy.",
]


def read(data: bytes) -> ParsedDocument:
    return parse(data, PDF, ParseOptions())


def code(data: bytes) -> str:
    with pytest.raises(DocumentRefused) as refused:
        read(data)
    return refused.value.code


def found(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(element.category, element.text) for element in document.elements]


def text_page(rotate: int = 0) -> Page:
    return Page(rotate).text(72, 90, "Covered losses", 18, bold=True).lines(72, 130, PROSE)


def test_a_page_of_text_is_read_with_its_title() -> None:
    document = read(pdf(text_page()))
    assert found(document) == [("Title", "Covered losses"), ("NarrativeText", " ".join(PROSE))]
    assert [(page.number, page.route) for page in document.pages] == [(1, "text")]
    assert document.media_type == PDF
    assert document.missing == []


def test_elements_know_their_page_and_place() -> None:
    document = read(pdf(text_page(), text_page()))
    assert [element.metadata.page_number for element in document.elements] == [1, 1, 2, 2]
    coordinates = document.elements[0].metadata.coordinates
    assert coordinates is not None
    assert coordinates.points is not None
    assert coordinates.system is not None
    assert (coordinates.system.width, coordinates.system.height) == (612, 792)
    (left, top), (_, bottom) = coordinates.points[0], coordinates.points[1]
    assert left == pytest.approx(72, abs=3)
    assert top < 90 < bottom


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_turned_page_reads_like_an_upright_one(rotate: int) -> None:
    document = read(pdf(text_page(rotate)))
    assert found(document) == found(read(pdf(text_page())))
    coordinates = document.elements[0].metadata.coordinates
    assert coordinates is not None
    assert coordinates.points is not None
    assert coordinates.points[0] == pytest.approx((72, 76), abs=6)


def test_a_blank_page_is_reported_as_blank() -> None:
    document = read(pdf(text_page(), Page(), text_page()))
    assert [page.route for page in document.pages] == ["text", "blank", "text"]
    assert document.coverage() == {"text": 2, "ocr": 0, "blank": 1, "failed": 0}
    assert {element.metadata.page_number for element in document.elements} == {1, 3}


def test_a_file_of_blank_pages_holds_no_text() -> None:
    assert code(pdf(Page(), Page())) == "no_text"


def test_a_white_rectangle_does_not_make_a_page_more_than_blank() -> None:
    page = Page()
    page.operators.append("1 1 1 rg 0 0 612 792 re f")
    assert read(pdf(text_page(), page)).pages[1].route == "blank"


def test_a_ruled_table_is_read_as_rows_of_cells() -> None:
    page = Page().lines(72, 90, PROSE).grid([72, 220, 330, 440], [200, 225, 250, 275])
    for row, cells in enumerate([("Cover", "Limit", "Excess"), ("Fire", "$5,000", "$100"), ("Flood", "$900", "$50")]):
        for column, cell in enumerate(cells):
            page.text((76, 224, 334)[column], 217 + 25 * row, cell)
    (table,) = [element for element in read(pdf(page)).elements if element.category == "Table"]
    assert table.text.splitlines()[0].count("Fire") == 1
    for cell in ("Fire", "$5,000", "$100", "Flood", "$900", "$50", "Limit", "Excess"):
        assert cell in table.text
    html = table.metadata.text_as_html
    assert html is not None
    assert html.count("<tr") == 3


def test_two_columns_are_read_one_after_the_other() -> None:
    left = [f"left column, line number {number} of it" for number in range(12)]
    right = [f"right column, line number {number} of it" for number in range(12)]
    text = " ".join(text for _, text in found(read(pdf(Page().lines(60, 100, left).lines(330, 100, right)))))
    assert text.index("left column, line number 11") < text.index("right column, line number 0")


def test_columns_drawn_line_by_line_across_the_page_are_told_apart_all_the_same() -> None:
    page = Page()
    for number in range(12):
        page.text(60, 100 + 13 * number, f"left column, line number {number} of it")
        page.text(330, 100 + 13 * number, f"right column, line number {number} of it")
    text = " ".join(text for _, text in found(read(pdf(page))))
    assert text.index("left column, line number 11") < text.index("right column, line number 0")


def test_letters_beyond_ascii_are_kept() -> None:
    assert found(read(pdf(Page().text(72, 100, "Die Prämie beträgt 5 € für Ihr Gebäude."))))[0][1].startswith(
        "Die Prämie beträgt 5 €"
    )


def test_the_same_bytes_are_read_alike_every_time() -> None:
    data = pdf(text_page(), text_page(90))
    assert read(data).to_json() == read(data).to_json()


@pytest.mark.parametrize("trailer", [BOGUS_ENCRYPTION, UNKNOWN_ENCRYPTION])
def test_an_encrypted_file_is_refused_as_encrypted(trailer: bytes) -> None:
    assert code(pdf(text_page(), trailer=trailer)) == "encrypted"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"%PDF-1.4\n" + b"\x00" * 5000, pdf(text_page())[:60], b"no pdf"])
def test_a_damaged_file_is_refused_as_corrupt(data: bytes) -> None:
    assert code(data) == "corrupt"


def test_a_file_without_pages_is_refused_as_corrupt() -> None:
    assert code(pdf()) == "corrupt"


def test_a_file_cut_short_anywhere_is_read_or_refused_and_never_breaks_the_reader() -> None:
    whole = pdf(text_page(), text_page())
    outcomes: set[str] = set()
    for end in range(0, len(whole), 37):
        try:
            outcomes.add(f"{len(read(whole[:end]).pages)} pages")
        except DocumentRefused as refused:
            outcomes.add(refused.code)
    assert "corrupt" in outcomes


def test_a_page_that_cannot_be_loaded_is_reported_and_the_others_are_read() -> None:
    data = pdf(text_page(), text_page(), text_page())
    damaged = data.replace(b"/Kids [6 0 R 8 0 R 10 0 R]", b"/Kids [6 0 R 5 0 R 10 0 R]")
    assert damaged != data
    document = read(damaged)
    routes = [page.route for page in document.pages]
    assert len(routes) == 3
    assert (routes[0], routes[2]) == ("text", "text")
    assert {element.metadata.page_number for element in document.elements} == {1, 3}


def test_a_file_with_too_many_pages_is_refused() -> None:
    data = pdf(Page()).replace(b"/Kids [6 0 R] /Count 1", b"/Kids [" + b"6 0 R " * 5001 + b"] /Count 5001")
    with pytest.raises(DocumentRefused) as refused:
        next(read_pdf(data, "rapidocr"))
    assert refused.value.code == "too_many_pages"


def mapped(target: bytes) -> str:
    """What is read of a text whose letter x stands, by its font, for another character."""
    ranges = b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <78> <" + target + b"> endbfchar"
    letters = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap " + ranges + b" endcmap end end"
    page = Page().lines(72, 100, PROSE).text(72, 150, "the end x of it")
    return " ".join(text for _, text in found(read(pdf(page, letters=letters))))


def test_letters_are_those_the_font_says() -> None:
    assert "the end \u00c4 of it" in mapped(b"00C4")


@pytest.mark.parametrize("target", [b"0000", b"D800"])
def test_characters_no_database_can_hold_do_not_reach_the_text(target: bytes) -> None:
    text = mapped(target)
    assert "\x00" not in text
    assert text.encode()


def test_two_columns_under_bold_names_are_a_table() -> None:
    page = Page().text(72, 100, "Item", bold=True).text(250, 100, "Detail", bold=True)
    for number, (item, detail) in enumerate([("Member", "Odalys Brennick"), ("Claim", "QH-24"), ("Paid", "$12.00")], 1):
        page.text(72, 100 + 19 * number, item).text(250, 100 + 19 * number, detail)
    (table,) = read(pdf(page)).elements
    assert table.category == "Table"
    assert table.text.splitlines()[1] == "Member | Odalys Brennick"


def test_columns_of_short_lines_on_shared_baselines_are_read_one_after_the_other() -> None:
    left = [
        "Vehicle one is a red wagon",
        "kept in a locked garage by",
        "its owner in Brindle Falls",
        "all the year round there",
    ]
    right = [
        "Vehicle two is a blue pickup",
        "used for pleasure only, some",
        "five thousand miles a year by",
        "the son of its owner",
    ]
    page = Page()
    for number, (one, two) in enumerate(zip(left, right, strict=True)):
        page.text(72, 100 + 20 * number, one).text(320, 100 + 20 * number, two)
    text = " ".join(element.text for element in read(pdf(page)).elements)
    assert text == " ".join([*left, *right])
