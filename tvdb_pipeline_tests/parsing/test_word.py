"""Word files: every word once, in order, on its page."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from docx.enum.text import WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from office_files import found, picture, text, word
from pptx.util import Inches

from tvdb_pipeline.parsing.office import parse_docx


def test_word_headings_lists_tables_and_margins_keep_their_kind() -> None:
    def fill(document: Any) -> None:
        document.sections[0].header.paragraphs[0].text = "Acme Insurance"
        document.add_heading("Cover", level=2)
        document.add_paragraph("The insurer pays for the loss of the insured property.")
        document.add_paragraph("Fire", style="List Bullet")
        table = document.add_table(rows=0, cols=3)
        for line in (("Cover", "Limit", "Excess"), ("Fire", "5000", "100")):
            cells = table.add_row().cells
            for cell, value in zip(cells, line, strict=True):
                cell.text = value

    document = parse_docx(word(fill))
    assert found(document) == [
        ("Header", "Acme Insurance"),
        ("Title", "Cover"),
        ("NarrativeText", "The insurer pays for the loss of the insured property."),
        ("ListItem", "Fire"),
        ("Table", "Cover: Fire; Limit: 5000; Excess: 100"),
    ]
    assert document.elements[1].metadata.category_depth == 1
    assert (document.elements[-1].metadata.text_as_html or "").startswith("<table>")
    assert {element.metadata.page_number for element in document.elements} == {1}


def test_word_pages_break_where_the_author_broke_them() -> None:
    def fill(document: Any) -> None:
        document.add_paragraph("First page.")
        document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        document.add_paragraph("Second page.")

    document = parse_docx(word(fill))
    assert [element.metadata.page_number for element in document.elements] == [1, 2]
    assert [page.route for page in document.pages] == ["text", "text"]


@pytest.mark.parametrize(
    "markup",
    [
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>hidden words</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        "<w:p><w:ins w:id='1'><w:r><w:t>hidden words</w:t></w:r></w:ins></w:p>",
        "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>hidden words</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
        "</w:p>",
        "<w:p><w:fldSimple w:instr='X'><w:r><w:t>hidden words</w:t></w:r></w:fldSimple></w:p>",
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>hidden words</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
    ],
)
def test_words_in_controls_insertions_boxes_and_frames_are_read_once(markup: str) -> None:
    def fill(document: Any) -> None:
        tag = markup.replace(">", f" {nsdecls('w')}>", 1)
        document.element.body.insert(0, parse_xml(tag))

    assert text(parse_docx(word(fill))).count("hidden words") == 1


def test_deleted_words_are_not_read() -> None:
    def fill(document: Any) -> None:
        deleted = f"<w:del {nsdecls('w')} w:id='1'><w:r><w:delText>gone</w:delText></w:r></w:del>"
        document.add_paragraph("kept")._p.append(parse_xml(deleted))

    assert text(parse_docx(word(fill))) == "kept"


def test_comments_follow_the_paragraph_they_are_about() -> None:
    def fill(document: Any) -> None:
        run = document.add_paragraph().add_run("The excess is 100.")
        document.add_comment(run, text="Check this.", author="Jo")
        document.add_paragraph("The end.")

    assert text(parse_docx(word(fill))).splitlines() == ["The excess is 100.", "Comment by Jo: Check this.", "The end."]


def test_a_word_page_with_only_a_picture_has_failed() -> None:
    document = parse_docx(word(lambda document: document.add_picture(picture())))
    assert [(page.route, page.note) for page in document.pages] == [("failed", "image not read")]


def test_large_pictures_beside_text_are_named_as_missing_and_small_ones_are_not() -> None:
    def fill(document: Any, noise: bool) -> None:
        document.add_paragraph("Text beside a picture.")
        document.add_picture(picture(noise), width=Inches(1))

    assert parse_docx(word(lambda document: fill(document, True))).missing == ["1 large picture was not read (page 1)"]
    assert parse_docx(word(lambda document: fill(document, False))).missing == []


def test_footnotes_follow_their_paragraph_and_are_marked_in_it() -> None:
    def fill(document: Any) -> None:
        reference = f"<w:r {nsdecls('w')}><w:footnoteReference w:id='7'/></w:r>"
        document.add_paragraph("The excess is 100.")._p.append(parse_xml(reference))
        document.add_paragraph("The end.")

    note = b"<w:footnote w:id='7'><w:p><w:r><w:t>For each claim.</w:t></w:r></w:p></w:footnote>"
    buffer = io.BytesIO(word(fill))
    with zipfile.ZipFile(buffer, "a") as package:
        package.writestr("word/footnotes.xml", f"<w:footnotes {nsdecls('w')}>".encode() + note + b"</w:footnotes>")
    lines = text(parse_docx(buffer.getvalue())).splitlines()
    assert lines == ["The excess is 100.[1]", "[1] For each claim.", "The end."]


def test_content_written_twice_for_old_and_new_word_is_read_once() -> None:
    words = "<w:p><w:r><w:t>boxed words</w:t></w:r></w:p>"
    form = f"<w:pict><w:txbxContent>{words}</w:txbxContent></w:pict>"
    mc = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    markup = (
        f"<w:p {nsdecls('w')} xmlns:mc='{mc}'><w:r><mc:AlternateContent><mc:Choice Requires='wps'>{form}</mc:Choice>"
        f"<mc:Fallback>{form}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    document = parse_docx(word(lambda document: document.element.body.insert(0, parse_xml(markup))))
    assert text(document) == "boxed words"


def test_word_pages_count_on_through_a_table_that_breaks() -> None:
    def fill(document: Any) -> None:
        document.add_paragraph("Before.")
        mark = f"<w:r {nsdecls('w')}><w:lastRenderedPageBreak/><w:t>next page</w:t></w:r>"
        table = document.add_table(rows=2, cols=2)
        for cell in table.rows[1].cells:
            cell.paragraphs[0]._p.append(parse_xml(mark))
        document.add_paragraph("After.")

    document = parse_docx(word(fill))
    assert [(element.text, element.metadata.page_number) for element in document.elements][-1] == ("After.", 2)
