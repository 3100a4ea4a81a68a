"""Forms filled in, notes typed on a page, and PDFs that only say that their content is elsewhere."""

from __future__ import annotations

from io import BytesIO

import pytest

from tvdb_pipeline.documents.admission import PDF
from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.parse import ParseOptions, parse
from tvdb_pipeline_tests.pdf_writer import HEIGHT, Page, pdf

LETTER = "Your claim was settled, and the file is protected by us; use a different reader for the attachment. "


def form(*fields: str, text: Page | None = None) -> bytes:
    """A PDF of one page with these annotations (the inside of each dictionary)."""
    content = "\n".join((text or Page()).operators).encode("cp1252")
    kids = b" ".join(b"%d 0 R" % (7 + number) for number in range(len(fields)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + kids + b"] /NeedAppearances true >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Annots [" + kids + b"]"
        b" /Resources << /Font << /F1 5 0 R /F2 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< >>",
        *(b"<< /Type /Annot %s >>" % field.encode() for field in fields),
    ]
    body, offsets = b"%PDF-1.7\n", list[int]()
    for number, entry in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, entry)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    tail = b"trailer\n<< /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + tail


def widget(kind: str, name: str, x: float, y: float, more: str, width: float = 150) -> str:
    """A field whose box begins at (x, y) from the top left and is 14 points high."""
    bottom = HEIGHT - y - 14
    return f"/Subtype /Widget /FT /{kind} /T ({name}) /Rect [{x} {bottom} {x + width} {bottom + 14}] {more}"


def lines(data: bytes) -> list[str]:
    return [element.text for element in parse(data, PDF, ParseOptions()).elements]


def test_a_value_stands_after_the_label_beside_it() -> None:
    text = Page().text(72, 100, "Policy number:").text(72, 130, "Insured:")
    data = form(widget("Tx", "f1", 150, 88, "/V (PN-5531)"), widget("Tx", "f2", 120, 118, "/V (Ada Lumen)"), text=text)
    assert "\n".join(lines(data)).split() == ["Policy", "number:", "PN-5531", "Insured:", "Ada", "Lumen"]


def test_a_value_without_a_label_near_it_carries_the_fields_name() -> None:
    data = form(widget("Tx", "f", 300, 400, "/V (12,500) /TU (Sum insured)"), text=Page().text(72, 100, "Application"))
    assert "Sum insured: 12,500" in lines(data)


def test_of_boxes_to_tick_the_text_says_which_is_on() -> None:
    text = Page().text(90, 100, "Tenant").text(90, 130, "Owner")
    boxes = [
        widget("Btn", "a", 72, 88, "/AS /Yes /V /Yes /AP << /N << /Yes 6 0 R /Off 6 0 R >> >>", 12),
        widget("Btn", "b", 72, 118, "/AS /Off /V /Off /AP << /N << /Yes 6 0 R /Off 6 0 R >> >>", 12),
    ]
    assert sorted(" ".join(lines(form(*boxes, text=text))).replace(" ☐", "|☐").split("|")) == ["☐ Owner", "☒ Tenant"]


def test_a_choice_is_read_with_the_words_people_chose() -> None:
    data = form(
        widget("Ch", "c", 160, 88, "/Ff 131072 /Opt [[(1) (Monthly)] [(2) (Yearly)]] /V (2)"),
        text=Page().text(72, 100, "Payment:"),
    )
    assert lines(data) == ["Payment: Yearly"]


def test_a_form_with_nothing_but_values_is_text() -> None:
    parsed = parse(form(widget("Tx", "claim", 72, 88, "/V (HC-20931)")), PDF, ParseOptions())
    assert [element.text for element in parsed.elements] == ["claim: HC-20931"]
    assert parsed.pages[0].route == "text"


def test_a_value_also_drawn_on_the_page_is_there_once() -> None:
    data = form(widget("Tx", "f", 72, 88, "/V (PN-5531)"), text=Page().text(74, 100, "PN-5531"))
    assert lines(data) == ["PN-5531"]


@pytest.mark.parametrize("more", ["/V (secret) /Ff 8192", "/V (secret) /F 2"])
def test_passwords_and_hidden_fields_are_left_out(more: str) -> None:
    assert lines(form(widget("Tx", "f", 72, 88, more), text=Page().text(72, 300, "Application"))) == ["Application"]


def test_a_typed_note_is_text() -> None:
    note = "/Subtype /FreeText /Contents (Approved on May 4) /Rect [72 600 300 640] /DA (/Helv 10 Tf)"
    assert "Approved on May 4" in lines(form(note, text=Page().text(72, 100, "Estimate of repairs")))


@pytest.mark.parametrize(
    "notice",
    [
        ["This PDF file is protected", "You'll need a different reader in order to view this content."],
        ["Please wait...", "If this message is not eventually replaced by the proper contents of the document, your"],
        ["For the best experience, open this PDF portfolio in Acrobat X or Adobe Reader X, or later."],
    ],
)
def test_a_notice_in_place_of_the_content_is_refused(notice: list[str]) -> None:
    with pytest.raises(DocumentRefused) as refused:
        parse(pdf(Page().lines(72, 100, notice)), PDF, ParseOptions())
    assert refused.value.code == "protected"


def test_a_document_that_mentions_such_words_is_read() -> None:
    page = Page().lines(72, 80, [(LETTER * 20)[start : start + 80] for start in range(0, 1800, 80)])
    assert parse(pdf(page), PDF, ParseOptions()).elements


def test_the_cover_of_an_encrypted_document_is_refused_whatever_it_says() -> None:
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import NameObject

    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf(Page().text(72, 100, "Ask your broker for this policy.")))))
    attached = writer.add_attachment("policy.bin", b"sealed")
    attached.pdf_object[NameObject("/AFRelationship")] = NameObject("/EncryptedPayload")
    out = BytesIO()
    writer.write(out)
    with pytest.raises(DocumentRefused) as refused:
        parse(out.getvalue(), PDF, ParseOptions())
    assert refused.value.code == "protected"
