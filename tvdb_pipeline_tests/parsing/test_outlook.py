"""Messages saved by Outlook, built here property by property."""

from __future__ import annotations

import struct

import pytest
from ole_container import Tree, ole_container

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.mail import parse_msg
from tvdb_pipeline.parsing.parsed import ParsedDocument


def refuse(content: bytes, name: str) -> ParsedDocument:
    raise DocumentRefused("encrypted", "The file is password protected.")


def found(document: ParsedDocument) -> list[tuple[int | None, str, str]]:
    return [(element.metadata.page_number, element.category, element.text) for element in document.elements]


def outlook(header: int, strings: dict[int, str], binaries: dict[int, bytes] | None = None, **storages: Tree) -> Tree:
    """The storage of an Outlook message or attachment: a table of properties, and a stream for each."""
    tree: dict[str, bytes | Tree] = {}
    table = b""
    for kind, values in (
        (0x1F, {tag: text.encode("utf-16-le") for tag, text in strings.items()}),
        (0x102, binaries or {}),
    ):
        for tag, content in values.items():
            table += struct.pack("<HHIII", kind, tag, 6, len(content) + 2 * (kind == 0x1F), 0)
            tree[f"__substg1.0_{tag:04X}{kind:04X}"] = content
    tree["__properties_version1.0"] = bytes(header) + table
    return {**tree, **storages}


SUBJECT, BODY, SENDER, NAME, DATA = 0x0037, 0x1000, 0x0C1A, 0x3707, 0x3701


def test_outlook_messages_are_read_with_their_attachments() -> None:
    file = outlook(8, {NAME: "file.txt"}, {DATA: b"This is a file."})
    inner = outlook(24, {SUBJECT: "Inner", BODY: "The inner text is here."})
    nested: Tree = {**outlook(8, {0x3001: "Inner"}), "__substg1.0_3701000D": inner}
    tree: Tree = {
        **outlook(32, {SUBJECT: "Claim 42", BODY: "We received the claim.", SENDER: "Ann"}),
        "__attach_version1.0_#00000000": file,
        "__attach_version1.0_#00000001": nested,
    }
    contents: list[bytes] = []
    document = parse_msg(ole_container(tree), contents.append)
    assert ([file.name for file in document.attached], contents) == (["file.txt"], [b"This is a file."])
    assert [(page, text) for page, _, text in found(document)] == [
        (1, "Claim 42"),
        (1, "Attachments: file.txt; Inner"),
        (1, "We received the claim."),
        (2, "Attachment: Inner"),
        (2, "Inner"),
        (2, "The inner text is here."),
    ]


def test_an_outlook_body_in_html_keeps_its_tables() -> None:
    table = b"<table><tr><th>Cover</th><th>Sum</th></tr><tr><td>Fire</td><td>5</td></tr></table>"
    page = b"<p>We received the claim.</p>" + table
    data = ole_container(outlook(32, {SUBJECT: "Claim"}, {0x1013: page}))
    assert found(parse_msg(data, refuse))[-1] == (1, "Table", "Cover: Fire; Sum: 5")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"not a container", "corrupt"),
        (ole_container({"WordDocument": b"x" * 100}), "corrupt"),
        (ole_container(outlook(32, {0x001A: "IPM.Note.SMIME", SUBJECT: "x"})), "encrypted"),
    ],
)
def test_unfit_outlook_files_are_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(DocumentRefused) as refusal:
        parse_msg(data, refuse)
    assert refusal.value.code == code
