"""Mail messages with attachments, built here."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.mail import parse_eml
from tvdb_pipeline.parsing.office import parse_text
from tvdb_pipeline.parsing.parsed import PageReport, ParsedDocument


def message(subject: str = "Claim 42", body: str = "We received the claim.") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "Ann <ann@example.com>", "bob@example.com"
    mail["Date"] = "Mon, 15 Jan 2024 10:00:00 +0000"
    mail.set_content(body)
    return mail


def two_pages(content: bytes, name: str) -> ParsedDocument:
    """An attachment of two pages, the second blank."""
    parsed = parse_text(content)
    return ParsedDocument(parsed.media_type, parsed.elements, [*parsed.pages, PageReport(2, "blank")], ["a note"])


def refuse(content: bytes, name: str) -> ParsedDocument:
    raise DocumentRefused("encrypted", "The file is password protected.")


def found(document: ParsedDocument) -> list[tuple[int | None, str, str]]:
    return [(element.metadata.page_number, element.category, element.text) for element in document.elements]


def test_subject_and_headers_come_before_the_body() -> None:
    document = parse_eml(message().as_bytes(), refuse)
    headers = "From: Ann <ann@example.com>\nTo: bob@example.com\nDate: Mon, 15 Jan 2024 10:00:00 +0000"
    assert found(document) == [
        (1, "Title", "Claim 42"),
        (1, "UncategorizedText", headers),
        (1, "NarrativeText", "We received the claim."),
    ]
    assert [page.route for page in document.pages] == ["text"]


def test_attachments_follow_on_pages_of_their_own() -> None:
    mail = message()
    for number in (1, 2):
        mail.add_attachment(f"This is file {number}.".encode(), "text", "plain", filename=f"file {number}.txt")
    document = parse_eml(mail.as_bytes(), two_pages)
    assert found(document)[3:] == [
        (2, "Title", "Attachment: file 1.txt"),
        (2, "NarrativeText", "This is file 1."),
        (4, "Title", "Attachment: file 2.txt"),
        (4, "NarrativeText", "This is file 2."),
    ]
    assert [(page.number, page.route) for page in document.pages] == [
        (1, "text"), (2, "text"), (3, "blank"), (4, "text"), (5, "blank"),
    ]  # fmt: skip
    assert document.missing == ["attachment 1: a note", "attachment 2: a note"]


def test_a_refused_attachment_is_named_and_the_rest_is_read() -> None:
    mail = message()
    mail.add_attachment(b"sealed", "application", "pdf", filename="a.pdf")
    mail.add_attachment(b"This is open.", "text", "plain", filename="b.txt")

    def reader(content: bytes, name: str) -> ParsedDocument:
        return refuse(content, name) if name.endswith(".pdf") else parse_text(content)

    document = parse_eml(mail.as_bytes(), reader)
    assert document.missing == ["attachment 1 was not read: encrypted"]
    assert found(document)[-1] == (2, "NarrativeText", "This is open.")


def test_html_is_preferred_to_the_same_words_in_plain_text() -> None:
    mail = message(body="We received the claim.")
    mail.add_alternative("<h1>Claim</h1><p>We received the claim.</p>", subtype="html")
    document = parse_eml(mail.as_bytes(), refuse)
    assert [text for _, _, text in found(document)[2:]] == ["Claim", "We received the claim."]


def test_an_empty_html_form_gives_way_to_plain_text() -> None:
    mail = message(body="We received the claim.")
    mail.add_alternative(" ", subtype="html")
    assert found(parse_eml(mail.as_bytes(), refuse))[-1][2] == "We received the claim."


@pytest.mark.parametrize(
    ("size", "disposition", "read"), [(500, "inline", False), (30_000, "inline", True), (500, "attachment", True)]
)
def test_pictures_are_handed_on_unless_they_are_small_and_inside_the_body(
    size: int, disposition: str, read: bool
) -> None:
    mail = message()
    mail.add_attachment(b"x" * size, "image", "png", filename="p.png", disposition=disposition)
    names: list[str] = []

    def reader(content: bytes, name: str) -> ParsedDocument:
        names.append(name)
        return ParsedDocument("image/png", [], [PageReport(1, "ocr", 0.9)])

    document = parse_eml(mail.as_bytes(), reader)
    assert (names, document.missing) == (["p.png"] if read else [], [])


def test_a_message_inside_a_message_is_handed_on_as_a_file() -> None:
    mail = message()
    mail.add_attachment(message("Inner", "The inner text is here."))
    document = parse_eml(mail.as_bytes(), lambda content, name: parse_eml(content, refuse))
    assert (2, "Title", "Inner") in found(document)
    assert found(document)[3][2] == "Attachment: message-1.eml"


def test_encoded_headers_and_odd_encodings_are_read() -> None:
    raw = (
        b"Subject: =?utf-8?q?Pr=C3=A4mie?= 2024\r\nFrom: a@b.c\r\nContent-Type: text/plain; charset=no-such-charset\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nThe fee is 5 =80 today.\r\n"
    )
    assert [text for _, _, text in found(parse_eml(raw, refuse))] == [
        "Prämie 2024",
        "From: a@b.c",
        "The fee is 5 € today.",
    ]


def test_folders_in_an_attachment_name_are_left_out() -> None:
    mail = message()
    mail.add_attachment(b"This is open.", "text", "plain", filename="../../etc/passwd")
    names: list[str] = []

    def reader(content: bytes, name: str) -> ParsedDocument:
        names.append(name)
        return parse_text(content)

    parse_eml(mail.as_bytes(), reader)
    assert names == ["passwd"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "corrupt"),
        (b"no headers at all, only words", "corrupt"),
        (b"\x00\x01\x02\x03", "corrupt"),
        (b"From: a@b.c\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIAG", "encrypted"),
        (b'From: a@b.c\nContent-Type: multipart/encrypted; boundary="x"\n\n--x\n\nabc\n--x--\n', "encrypted"),
    ],
)
def test_unfit_messages_are_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(DocumentRefused) as refusal:
        parse_eml(data, refuse)
    assert refusal.value.code == code


def test_ids_stay_unique_where_attachments_repeat_each_other() -> None:
    mail = message()
    for number in (1, 2):
        mail.add_attachment(b"The same words.", "text", "plain", filename=f"{number}.txt")
    document = parse_eml(mail.as_bytes(), lambda content, name: parse_text(content))
    assert len({element.id for element in document.elements}) == len(document.elements)
