"""Mail messages with attachments, built here."""

from __future__ import annotations

from email.message import EmailMessage
from hashlib import sha256

import pytest

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing import mail as module
from tvdb_pipeline.parsing.mail import parse_eml
from tvdb_pipeline.parsing.parsed import ParsedDocument


def message(subject: str = "Claim 42", body: str = "We received the claim.") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "Ann <ann@example.com>", "bob@example.com"
    mail["Date"] = "Mon, 15 Jan 2024 10:00:00 +0000"
    mail.set_content(body)
    return mail


def refuse(content: bytes) -> None:
    raise AssertionError("nothing is attached")


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


def test_attached_files_are_handed_on_and_named_in_order() -> None:
    mail, contents = message(), list[bytes]()
    for number in (1, 2):
        mail.add_attachment(f"This is file {number}.".encode(), "text", "plain", filename=f"file {number}.txt")
    document = parse_eml(mail.as_bytes(), contents.append)
    assert contents == [b"This is file 1.", b"This is file 2."]
    assert [(file.number, file.name, file.bytes) for file in document.attached] == [
        ("1", "file 1.txt", 15), ("2", "file 2.txt", 15),
    ]  # fmt: skip
    assert [file.sha256 for file in document.attached] == [sha256(content).hexdigest() for content in contents]
    assert found(document)[1][2].endswith("\nAttachments: file 1.txt; file 2.txt")
    assert (len(document.pages), document.missing) == (1, [])


def test_what_is_attached_survives_the_way_through_json() -> None:
    mail = message()
    mail.add_attachment(b"This is open.", "text", "plain", filename="b.txt")
    document = parse_eml(mail.as_bytes(), lambda content: None)
    assert ParsedDocument.from_json(document.to_json()).attached == document.attached


def test_attachments_beyond_the_most_are_named_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ATTACHMENTS", 2)
    mail = message()
    for number in range(3):
        mail.add_attachment(b"x", "text", "plain", filename=f"{number}.txt")
    document = parse_eml(mail.as_bytes(), lambda content: None)
    assert [file.name for file in document.attached] == ["0.txt", "1.txt"]
    assert document.missing == ["attachments after the first 2 were not read"]


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
    document = parse_eml(mail.as_bytes(), lambda content: None)
    assert ([file.name for file in document.attached], document.missing) == (["p.png"] if read else [], [])


def test_a_message_inside_a_message_is_handed_on_as_a_file() -> None:
    mail = message()
    mail.add_attachment(message("Inner", "The inner text is here."))
    contents: list[bytes] = []
    document = parse_eml(mail.as_bytes(), contents.append)
    assert [file.name for file in document.attached] == ["message-1.eml"]
    assert found(parse_eml(contents[0], refuse))[-1][2] == "The inner text is here."


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
    document = parse_eml(mail.as_bytes(), lambda content: None)
    assert [file.name for file in document.attached] == ["passwd"]


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


@pytest.mark.parametrize("charset", [b"punycode", b"idna", b"unicode_escape", b"zlib_codec", b"no-such-thing"])
def test_a_charset_that_is_none_does_not_cost_the_words(charset: bytes) -> None:
    data = (
        b"Subject: Claim\r\nContent-Type: text/plain; charset="
        + charset
        + b"\r\n\r\nWe received the claim \\x41-99.\r\n"
    )
    assert found(parse_eml(data, refuse))[-1][2] == "We received the claim \\x41-99."


def test_a_body_that_is_no_text_is_named_and_the_rest_of_the_message_read() -> None:
    data = b"Subject: Claim\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwAFBgc=\r\n"
    document = parse_eml(data, refuse)
    assert found(document) == [(1, "Title", "Claim")]
    assert document.missing == ["a part of the message body was not read: it is no text"]
