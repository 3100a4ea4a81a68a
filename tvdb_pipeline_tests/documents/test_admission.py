"""Which files are let in, and as what."""

from __future__ import annotations

import pytest

from tvdb_pipeline.documents.admission import HEAD_BYTES, MEDIA_TYPES, admit
from tvdb_pipeline.errors import DocumentRefused

ZIP, OLE = b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"
BITMAP = b"BM" + (70).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
MEBIBYTE = 1 << 20


def admitted(head: bytes, name: str, size: int = 1000) -> str:
    return admit(head, size, name, MEBIBYTE)


def code(head: bytes, name: str, size: int = 1000) -> str:
    with pytest.raises(DocumentRefused) as refused:
        admitted(head, name, size)
    assert refused.value.kind == "document"
    assert not refused.value.retryable
    return refused.value.code


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"II*\x00....", "image/tiff"),
        (b"MM\x00*....", "image/tiff"),
        (BITMAP, "image/bmp"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
@pytest.mark.parametrize("name", ["scan", "scan.bin", "scan.docx"])
def test_content_decides_whatever_the_name_says(head: bytes, media_type: str, name: str) -> None:
    assert admitted(head, name) == media_type


def test_a_pdf_may_have_some_bytes_before_its_header() -> None:
    assert admitted(b"\r\n" * 200 + b"%PDF-1.4", "a.pdf") == "application/pdf"
    assert code(b"\r\n" * 600 + b"%PDF-1.4", "a.pdf") == "wrong_extension"


@pytest.mark.parametrize(("suffix", "ending"), [(".docx", "document"), (".PPTX", "presentation"), (".xlsx", "sheet")])
@pytest.mark.parametrize("head", [ZIP, OLE])
def test_office_files_are_told_by_their_extension_encrypted_ones_too(head: bytes, suffix: str, ending: str) -> None:
    assert admitted(head, f"a{suffix}").endswith(ending)


def test_an_archive_with_another_extension_is_not_supported() -> None:
    assert code(ZIP, "a.zip") == "unsupported"


@pytest.mark.parametrize("name", ["a.doc", "a.xls", "a.ppt", "a"])
def test_legacy_office_files_are_refused_with_advice(name: str) -> None:
    with pytest.raises(DocumentRefused, match="save it as docx, xlsx or pptx"):
        admitted(OLE, name)


def test_outlook_messages_are_let_in() -> None:
    assert admitted(OLE, "a.msg") == "application/vnd.ms-outlook"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.txt", "text/plain"),
        ("a.TEXT", "text/plain"),
        ("a.md", "text/markdown"),
        ("a.csv", "text/csv"),
        ("a.tsv", "text/csv"),
        ("a.htm", "text/html"),
        ("a.eml", "message/rfc822"),
    ],
)
def test_kinds_of_text_are_told_by_their_extension(name: str, media_type: str) -> None:
    assert admitted(b"From here on, words.", name) == media_type
    assert admitted("Prämie".encode("utf-16"), name) == media_type


@pytest.mark.parametrize("text", [b"BMI over 30 is not excluded.\n", b"BMW fleet policy\n"])
def test_text_that_begins_like_a_bitmap_is_text(text: bytes) -> None:
    assert admitted(text, "notes.txt") == "text/plain"


def test_binary_data_under_a_text_name_is_refused() -> None:
    assert code(b"\x01\x00\x02\x00binary", "a.txt") == "wrong_extension"


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.png", "a.jpeg", "a.msg"])
def test_a_damaged_or_misnamed_file_is_refused(name: str) -> None:
    assert code(b"<html>login</html>", name) == "wrong_extension"


@pytest.mark.parametrize("name", ["a.exe", "a", "a.mp4"])
def test_other_kinds_are_refused(name: str) -> None:
    assert code(b"MZ\x90", name) == "unsupported"


def test_an_empty_file_is_refused() -> None:
    assert code(b"", "a.pdf", size=0) == "empty"


def test_the_size_limit_is_inclusive() -> None:
    assert admitted(b"%PDF-", "a.pdf", MEBIBYTE) == "application/pdf"
    assert code(b"%PDF-", "a.pdf", MEBIBYTE + 1) == "too_large"


def test_no_refusal_quotes_the_name_of_the_file() -> None:
    for head, size in ((b"", 0), (b"x", MEBIBYTE + 1), (b"x", 10), (OLE, 10)):
        with pytest.raises(DocumentRefused) as refused:
            admitted(head, "jane-doe.docm", size)
        assert "jane" not in refused.value.message


def test_what_is_admitted_is_a_known_media_type() -> None:
    assert admitted(b"x" * HEAD_BYTES, "a.html") in MEDIA_TYPES
