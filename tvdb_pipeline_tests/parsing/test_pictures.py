"""Pages that are text and picture at once."""

from __future__ import annotations

from PIL import Image, ImageDraw

from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.parsing.lines import Box, TextLine
from tvdb_pipeline.parsing.parse import ParseOptions, parse
from tvdb_pipeline.parsing.pdf.geometry import PageFrame
from tvdb_pipeline.parsing.pdf.pictures import text_pictures
from tvdb_pipeline_tests.parsing.drawn_page import TEXT, drawn_page, with_picture
from tvdb_pipeline_tests.parsing.test_fields import form, widget
from tvdb_pipeline_tests.pdf_writer import Page, pdf

FRAME = PageFrame(0, 0, 612, 792, 0)
SCAN = drawn_page(TEXT[:2]).crop((0, 40, 620, 260))
PLACE = (72.0, 200.0, 518.0, 358.0)
TYPED = ["This letter was typed, and the part of the policy it is about", "was pasted below as a picture of the page."]


def line(text: str, left: float, top: float) -> TextLine:
    return TextLine(text, Box(left, top, left + 5 * len(text), top + 12), 10)


def test_a_picture_of_text_below_typed_text_is_read_too_and_no_word_comes_twice() -> None:
    # The first line of the picture stands in the layer as well.
    page = Page().lines(72, 100, TYPED).text(116, 245, TEXT[0], 16)
    parsed = parse(with_picture(pdf(page), SCAN, PLACE), PDF, ParseOptions())
    text = " ".join(element.text for element in parsed.elements)
    assert text.index("picture of the page.") < text.index(TEXT[0]) < text.index(TEXT[1])
    assert (text.count(TEXT[0]), text.count("Homeowners"), text.count("44512")) == (1, 1, 1)
    (report,) = parsed.pages
    assert (report.route, report.note) == ("text", None)
    assert report.confidence is not None


def test_a_photograph_costs_no_reading() -> None:
    photograph = Image.linear_gradient("L").resize((400, 300))
    parsed = parse(with_picture(pdf(Page().lines(72, 100, TYPED)), photograph, PLACE), PDF, ParseOptions())
    assert parsed.pages[0].confidence is None
    assert len(parsed.elements) == 1


def test_logos_and_pictures_the_layer_speaks_for_are_left_alone() -> None:
    logo = Box(400, 20, 580, 90)
    scan = Box(0, 0, 612, 792)
    layer = [line("words a reader recognized before" * 2, 72, 100 + 14 * row) for row in range(40)]
    assert text_pictures([logo], [], FRAME) == []
    assert text_pictures([scan], layer, FRAME) == []
    assert text_pictures([scan], layer[:3], FRAME) == [scan]


def test_strips_of_one_scan_are_one_picture() -> None:
    strips = [Box(50, 200 + 40 * row, 550, 240 + 40 * row) for row in range(6)]
    assert text_pictures(strips, [], FRAME) == [Box(50, 200, 550, 440)]


def test_fields_filled_in_on_a_scanned_form_are_read_to_the_letter() -> None:
    scan = Image.new("RGB", (1224, 1584), "white")
    scan.paste(drawn_page(("Policy number:", "Coverage is in force")).resize((1240, 1600)).crop((0, 0, 1224, 1584)))
    ImageDraw.Draw(scan).line((80, 1500, 1100, 1500), fill="black")
    data = with_picture(form(widget("Tx", "f", 260, 82, "/V (PN-0O1l5) /DA (/F1 12 Tf)")), scan, (0, 0, 612, 792))
    parsed = parse(data, PDF, ParseOptions())
    text = " ".join(element.text for element in parsed.elements)
    assert parsed.pages[0].route == "ocr"
    assert "Policy number: PN-0O1l5" in text
    assert text.count("PN") == 1


def test_letters_drawn_as_outlines_are_seen_in_the_picture_of_the_page() -> None:
    page = Page().text(300, 770, "12")
    for number in range(120):
        x, y = 72 + 12 * (number % 30), 700 - 20 * (number // 30)
        page.operators.append(f"{x} {y} m {x} {y + 9} l {x + 3} {y + 9} l {x + 5} {y + 7} l {x + 3} {y + 5} l")
        page.operators.append(f"{x + 1} {y + 5} l {x + 1} {y} l {x} {y} l f")
    parsed = parse(pdf(Page().lines(72, 100, TYPED), page), PDF, ParseOptions())
    assert parsed.pages[1].route == "ocr"
