"""CSV files: delimiters, encodings, ragged rows and titles."""

from __future__ import annotations

import pytest

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.tabular import parse_csv


def texts(document: ParsedDocument) -> list[str]:
    return [element.text for element in document.elements]


def categories(document: ParsedDocument) -> list[str]:
    return [element.category for element in document.elements]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_whatever_its_delimiter(delimiter: str) -> None:
    data = "\n".join(delimiter.join(row) for row in (["Cover", "Limit", "Note"], ["Fire", "5000", "x"])).encode()
    assert texts(parse_csv(data)) == ["Cover: Fire; Limit: 5000; Note: x"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_is_read_in_the_usual_encodings(encoding: str) -> None:
    assert texts(parse_csv("Name,Straße\nMüller,€5".encode(encoding)))[0].endswith("€5")


def test_csv_cells_stay_as_written() -> None:
    text = texts(parse_csv(b"Policy,Amount,Note\n00123,1250.00,NA\nnan,1e5,\n"))[0]
    assert text == "Policy: 00123; Amount: 1250.00; Note: NA\nPolicy: nan; Amount: 1e5"


def test_ragged_csv_rows_lose_no_cell() -> None:
    text = "\n".join(texts(parse_csv(b"Cover,Limit,Note\nFire,1\nFlood,2,x,surplus,more\n")))
    assert all(word in text for word in ("Fire", "Flood", "surplus", "more"))


def test_a_title_line_above_a_csv_table_survives() -> None:
    document = parse_csv(b"Premiums of 2024\n\nCover,Limit\nFire,1\nFlood,2\n")
    assert categories(document) == ["Title", "Table"]
    assert texts(document)[0] == "Premiums of 2024"


def test_quoted_cells_may_hold_delimiters_and_line_breaks() -> None:
    text = texts(parse_csv(b'Cover,Note,Sum\nFire,"a, b\nc",5\n'))[0]
    assert text == "Cover: Fire; Note: a, b c; Sum: 5"


def test_excels_delimiter_line_is_not_content() -> None:
    assert texts(parse_csv(b"sep=;\nCover;Limit\nFire;1,5\n")) == ["Cover: Fire; Limit: 1,5"]


def test_long_tables_come_in_pieces_that_all_carry_the_header() -> None:
    lines = ["Cover,Limit"] + [f"C{number},{number}" for number in range(450)]
    document = parse_csv("\n".join(lines).encode())
    assert [text.count("\n") + 1 for text in texts(document)] == [200, 200, 50]
    assert all(text.startswith("Cover: C") for text in texts(document))
    assert all("<th>Cover</th>" in (element.metadata.text_as_html or "") for element in document.elements)


@pytest.mark.parametrize("data", [b"", b" \n\r\n "])
def test_an_empty_csv_is_one_blank_page(data: bytes) -> None:
    document = parse_csv(data)
    assert (document.elements, [page.route for page in document.pages]) == ([], ["blank"])


def test_a_binary_file_is_no_csv() -> None:
    with pytest.raises(DocumentRefused) as refusal:
        parse_csv(b"a,b\x00\x01\x02,c")
    assert refusal.value.code == "not_text"
