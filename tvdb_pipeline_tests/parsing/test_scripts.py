"""Text layers in the scripts of the world, drawn with fonts that say which letter each code stands for."""

from __future__ import annotations

import pytest

from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.parsing.layout.structure import structure
from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.parse import ParseOptions, parse
from tvdb_pipeline.parsing.parsed import PageReport
from tvdb_pipeline_tests.pdf_writer import Page, pdf

HEBREW = ["הביטוח מכסה נזקים הנגרמים ממים וגם", "נזקים שנגרמו מאש עד לסכום הנקוב", "בפוליסה לכל מקרה ביטוח בנפרד"]
ARABIC = ["يغطي التأمين الأضرار الناجمة عن المياه", "وثيقة تأمين المنزل ضد الحريق والسرقة"]


def codes(letters: str) -> dict[str, str]:
    """A printable code for each letter, parentheses and backslash left out."""
    free = (chr(code) for code in range(33, 126) if chr(code) not in "()\\")
    return {letter: next(free) for letter in dict.fromkeys(letters) if letter != " "} | {" ": " "}


def drawn(lines: list[str], *, from_the_right: bool = False) -> bytes:
    """A page of these lines. Text from the right is drawn as printers do: letter by letter from the left."""
    known = codes("".join(lines))
    entries = " ".join(f"<{ord(code):02X}> <{letter.encode('utf-16-be').hex()}>" for letter, code in known.items())
    ranges = f"1 begincodespacerange <00> <FF> endcodespacerange {len(known)} beginbfchar {entries} endbfchar"
    letters = f"/CIDInit /ProcSet findresource begin 12 dict begin begincmap {ranges} endcmap end end"
    page = Page()
    for number, text in enumerate(lines):
        page.text(72, 100 + 14 * number, "".join(known[char] for char in (text[::-1] if from_the_right else text)))
    return pdf(page, letters=letters.encode(), face=b"Courier")


def read(data: bytes) -> str:
    return " ".join(element.text for element in parse(data, PDF, ParseOptions()).elements)


@pytest.mark.parametrize("lines", [HEBREW, ARABIC])
def test_text_from_right_to_left_is_in_the_order_it_is_spoken(lines: list[str]) -> None:
    assert read(drawn(lines, from_the_right=True)) == " ".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "Страховщик возмещает ущерб от пожара",
        "Η ασφάλιση καλύπτει ζημιές",
        "बीमा पॉलिसी आग और पानी",
        "กรมธรรม์ประกันภัยบ้าน",
        "주택 보험 증권은 화재를",
    ],
)
def test_letters_of_other_scripts_come_out_as_they_are(text: str) -> None:
    assert read(drawn([text])) == text


def test_lines_of_scripts_without_spaces_are_joined_without_one() -> None:
    assert (
        read(drawn(["本保险单承保火灾和水渍造成的损失但不", "包括地震造成的损失"]))
        == "本保险单承保火灾和水渍造成的损失但不包括地震造成的损失"
    )


def test_columns_and_cells_of_a_page_from_the_right_begin_at_the_right() -> None:
    rows = [("כיסוי", "סכום", "השתתפות"), ("אש", "5000", "100"), ("מים", "900", "50"), ("גניבה", "700", "25")]
    lines = [TextLine("פוליסת ביטוח דירה נגד אש וגניבה ונזקי מים", Box(250, 60, 540, 72), 10)]
    for number, row in enumerate(rows):
        top = 100 + 15 * number
        lines += [
            TextLine(cell, Box(x - 40, top, x, top + 12), 10) for cell, x in zip(row, (540, 400, 260), strict=True)
        ]
    found = structure([PageLines(PageReport(1, "text"), 612, 792, lines)])
    (table,) = [element for element in found if element.category == "Table"]
    assert table.text.splitlines()[0].index("אש") < table.text.splitlines()[0].index("5000")
    coordinates = table.metadata.coordinates
    assert coordinates is not None
    assert coordinates.points is not None
    assert coordinates.points[0][0] == pytest.approx(220)
