"""A choice of hostile files through the whole pipeline; all of them at its door."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tvdb_pipeline.documents.admission import HEAD_BYTES, MEDIA_TYPES, admit
from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing import containers, sheet_size
from tvdb_pipeline.parsing.office import parse_docx
from tvdb_pipeline.parsing.sheet_size import MOST_PLACES, check_parts, check_rectangles
from tvdb_pipeline.parsing.tabular import parse_xlsx
from tvdb_pipeline.parsing.web import html_elements
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.hostile.catalogue import CASES, NOWHERE
from tvdb_pipeline_tests.hostile.office_parts import MAIN, body, package, parts
from tvdb_pipeline_tests.hostile.run import run, table

CHOSEN = frozenset(
    {
        "bomb-lying-small.docx", "bomb-main.pptx", "overlapping.docx", "names.docx", "encrypted-zip.xlsx",
        "billion-laughs.docx", "xxe-parameter.xlsx", "template-injection.docx", "encrypted.xlsx", "deep-xml.docx",
        "whole-sheet-claimed.xlsx", "last-cell.xlsx", "comb.csv", "merges-disguised.xlsx",
        "kids-hold-their-parent.pdf", "type3-font-of-itself.pdf", "xref-previous-itself.pdf", "pages-100000.pdf",
        "media-box-nan.pdf", "password-rc4-128.pdf", "xfa-please-wait.pdf", "launch-and-fetch.pdf", "pdf-and-docx.docx",
        "dimensions-50000.png", "directory-loop.tiff", "fetches.html", "xxe.html", "deep-div.html", "names.eml",
        "chain-to-itself.msg", "empty.pdf", "name with\nline and \u202efdp.txt", "name-\udcff\udcfe.txt",
    }
)  # fmt: skip


def test_hostile_files_end_as_text_or_with_a_reason_and_harm_nothing(settings: Settings) -> None:
    chosen = [case for case in CASES if case.name in CHOSEN]
    assert len(chosen) == len(CHOSEN)
    figures = run(settings, chosen)
    assert figures.broken == [], "\n".join(table(figures))


def admitted(data: bytes, name: str) -> str:
    """The media type, or the code of the refusal."""
    try:
        return admit(data[:HEAD_BYTES], len(data), name, 200 << 20)
    except DocumentRefused as refusal:
        return refusal.code


def test_every_file_is_let_in_as_a_known_type_or_refused_by_one_of_its_codes() -> None:
    assert len(CASES) >= 135
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        data = case.make(NOWHERE)
        assert len(data) < 5_000_000, case.name
        assert admitted(data, case.name) in MEDIA_TYPES | case.ends, case.name


def code_of(data: bytes) -> str:
    with pytest.raises(DocumentRefused) as refusal:
        parse_docx(data)
    return refusal.value.code


def test_what_comes_out_of_an_archive_is_measured_whatever_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MOST_PART_BYTES", 300_000)
    data = bytearray(package("docx", {"word/extra.xml": b"<a>" + bytes(range(65, 90)) * 20_000 + b"</a>"}))
    assert code_of(bytes(data)) == "too_large"
    monkeypatch.undo()
    monkeypatch.setattr(containers, "MOST_PACKAGE_BYTES", 20_000)
    assert code_of(package("docx", {})) == "too_large"


def test_text_in_a_utf16_part_is_read_and_entities_in_it_are_refused() -> None:
    content = parts("docx")[MAIN["docx"]].decode()
    plain = content[content.index("<w:document") :]
    good = package("docx", {MAIN["docx"]: ('<?xml version="1.0" encoding="UTF-16"?>' + plain).encode("utf-16")})
    assert [element.text for element in parse_docx(good).elements] == ["The insurer pays for the loss."]
    evil = package("docx", {MAIN["docx"]: ('<!DOCTYPE x [<!ENTITY e "x">]>' + plain).encode("utf-16")})
    assert code_of(evil) == "corrupt"


def test_a_part_in_another_encoding_is_refused() -> None:
    content = parts("docx")[MAIN["docx"]]
    declared = b'<?xml version="1.0" encoding="UTF-7"?>' + content[content.index(b"<w:document") :]
    assert code_of(package("docx", {MAIN["docx"]: declared})) == "corrupt"


def test_an_office_file_under_the_name_of_another_kind_is_told_from_a_damaged_one() -> None:
    assert code_of(package("xlsx", {})) == "wrong_extension"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "words")
    assert code_of(buffer.getvalue()) == "corrupt"


def test_a_merged_area_over_the_whole_sheet_keeps_its_cell() -> None:
    merges = b"</sheetData><mergeCells><mergeCell  ref = 'A1:XFD1048576' /></mergeCells>"
    sheet = parts("xlsx")[MAIN["xlsx"]].replace(b"</sheetData>", merges)
    assert "The insurer pays" in parse_xlsx(package("xlsx", {MAIN["xlsx"]: sheet})).elements[0].text


def test_a_page_nested_too_deep_is_refused_and_not_cut_off() -> None:
    page = "<div>" * 300 + "deep" + "</div>" * 300 + "<p>What stands behind counts, too.</p>"
    with pytest.raises(DocumentRefused) as refusal:
        html_elements(page)
    assert refusal.value.code == "nested_too_deep"


def test_a_text_of_over_ten_million_characters_is_too_large_and_not_damaged() -> None:
    assert code_of(body("docx", b"<w:p><w:r><w:t>" + b"a b " * 2_600_000 + b"</w:t></w:r></w:p>")) == "too_large"


@pytest.mark.parametrize("widths", [[MOST_PLACES + 1], [1] * 10 + [MOST_PLACES // 10], [MOST_PLACES // 4] * 5])
def test_a_block_of_rows_that_makes_too_large_a_rectangle_is_refused(widths: list[int]) -> None:
    with pytest.raises(DocumentRefused) as refusal:
        check_rectangles(widths)
    assert refusal.value.code == "too_large"


def test_blank_rows_part_one_rectangle_from_the_next() -> None:
    check_rectangles([1] * 10 + [0, MOST_PLACES // 10, 0, *[1] * 10])


def test_cells_are_counted_over_all_sheets_and_however_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_size, "MOST_CELLS", 1000)
    sheet = b"<x:c\n/>" * 500
    check_parts([sheet, sheet])
    with pytest.raises(DocumentRefused):
        check_parts([sheet, sheet, b"<c>"])


def test_the_files_are_the_same_each_time_they_are_made(tmp_path: Path) -> None:
    for case in CASES:
        if case.name in CHOSEN and "password" not in case.name and not case.name.startswith("encrypted."):
            assert case.make(NOWHERE) == case.make(NOWHERE), case.name
