"""Excel files, built here cell by cell."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from PIL import Image as PillowImage

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.tabular import parse_xlsx


def workbook(fill: Callable[[Any], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def rows(*lines: list[Any]) -> Callable[[Any], None]:
    def fill(book: Any) -> None:
        for line in lines:
            book.active.append(line)

    return fill


def texts(document: ParsedDocument) -> list[str]:
    return [element.text for element in document.elements]


def categories(document: ParsedDocument) -> list[str]:
    return [element.category for element in document.elements]


def encrypted(data: bytes) -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    sealed = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt("secret", sealed)
    return sealed.getvalue()


def test_sheets_are_pages_with_their_names() -> None:
    def fill(book: Any) -> None:
        book.active.title = "Premiums"
        book.active.append(["Cover", "Limit"])
        book.active.append(["Fire", 1250.0])
        book.create_sheet("Empty")

    document = parse_xlsx(workbook(fill))
    assert texts(document) == ["Premiums", "Cover: Fire; Limit: 1250"]
    assert [(element.metadata.page_number, element.metadata.page_name) for element in document.elements][1] == (
        1,
        "Premiums",
    )
    assert [page.route for page in document.pages] == ["text", "blank"]


def test_numbers_and_dates_are_shown_as_in_excel() -> None:
    def fill(book: Any) -> None:
        book.active.append(["Start", "Rate", "Sum", "Policy", "Share", "Paid"])
        book.active.append([datetime(2024, 1, 15), 0.125, 1250, 42, 0.1 + 0.2, True])
        book.active["B2"].number_format = "0.0%"
        book.active["C2"].number_format = '"$"#,##0.00'
        book.active["D2"].number_format = "00000"

    expected = "Start: 2024-01-15; Rate: 12.5%; Sum: $1250; Policy: 00042; Share: 0.3; Paid: TRUE"
    assert texts(parse_xlsx(workbook(fill))) == [expected]


def test_tables_and_titles_on_a_sheet_are_told_apart() -> None:
    document = parse_xlsx(
        workbook(
            rows(
                ["Claims of 2024"],
                [],
                ["Cover", "Paid"],
                ["Fire", 1],
                [],
                ["Broker", "Fee"],
                ["Jones", 2],
                ["Smith", 3],
            )
        )
    )
    assert categories(document) == ["Title", "Table", "Table"]
    assert texts(document)[2] == "Broker: Jones; Fee: 2\nBroker: Smith; Fee: 3"


def test_merged_cells_name_all_they_span() -> None:
    def fill(book: Any) -> None:
        for line in (["Cover", "Home", None], [None, "Limit", "Excess"], ["Fire", 10, 1], [None, 20, 2]):
            book.active.append(line)
        for area in ("A1:A2", "B1:C1", "A3:A4"):
            book.active.merge_cells(area)

    text = texts(parse_xlsx(workbook(fill)))[0]
    assert text == "Cover: Fire; Home Limit: 10; Home Excess: 1\nCover: Fire; Home Limit: 20; Home Excess: 2"


def test_hidden_sheets_are_named_as_missing_and_comments_are_kept() -> None:
    def fill(book: Any) -> None:
        book.active.append(["Cover", "Limit"])
        book.active.append(["Fire", 5])
        book.active["B2"].comment = Comment("Raised in May", "Jo")
        secret = book.create_sheet("Secret")
        secret.append(["hidden words"])
        secret.sheet_state = "hidden"

    document = parse_xlsx(workbook(fill))
    assert document.missing == ["1 hidden sheet was not read"]
    assert "hidden words" not in "".join(texts(document))
    assert texts(document)[-1] == "Comment by Jo on B2: Raised in May"


def test_formulas_without_a_stored_result_are_named_as_missing() -> None:
    document = parse_xlsx(workbook(rows(["Cover", "Limit"], ["Fire", 5], ["Total", "=SUM(B2:B2)"])))
    assert document.missing == ["1 formula without a stored result was not read"]


def test_a_sheet_with_nothing_but_a_picture_has_failed() -> None:
    def fill(book: Any) -> None:
        buffer = io.BytesIO()
        PillowImage.new("RGB", (20, 20)).save(buffer, "PNG")
        book.active.add_image(Image(buffer), "B2")

    assert [(page.route, page.note) for page in parse_xlsx(workbook(fill)).pages] == [("failed", "image not read")]


def test_a_workbook_in_the_strict_form_is_read() -> None:
    data = workbook(rows(["Cover", "Limit"], ["Fire", 5]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            family = rb"http://purl.oclc.org/ooxml/\1/"
            content = re.sub(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/", family, source.read(name))
            target.writestr(name, source.read(name) if name == "[Content_Types].xml" else content)
    assert texts(parse_xlsx(buffer.getvalue())) == ["Cover: Fire; Limit: 5"]


def test_an_area_merged_over_the_whole_sheet_costs_no_memory() -> None:
    data = workbook(rows(["Cover", "Limit"], ["Fire", 5]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            merges = b'</sheetData><mergeCells count="1"><mergeCell ref="A5:XFD1048576"/></mergeCells>'
            target.writestr(name, source.read(name).replace(b"</sheetData>", merges))
    assert texts(parse_xlsx(buffer.getvalue())) == ["Cover: Fire; Limit: 5"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "corrupt"),
        (b"PK\x03\x04 broken", "corrupt"),
        (workbook(rows(["a"]))[:900], "corrupt"),
        (encrypted(workbook(rows(["a"]))), "encrypted"),
    ],
)
def test_unfit_workbooks_are_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(DocumentRefused) as refusal:
        parse_xlsx(data)
    assert refusal.value.code == code
