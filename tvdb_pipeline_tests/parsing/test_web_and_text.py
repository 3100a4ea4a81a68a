"""Web pages, Markdown and plain text, written here."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.office import parse_html, parse_markdown, parse_text
from tvdb_pipeline.parsing.parsed import ParsedDocument


def found(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(element.category, element.text) for element in document.elements]


def text(document: ParsedDocument) -> str:
    return "\n".join(element.text for element in document.elements)


def test_html_keeps_title_headings_lists_and_tables_and_drops_scripts() -> None:
    page = b"""<html><head><title>Policy HO-1</title><style>p{}</style></head><body><script>evil()</script>
    <form><h2>Cover</h2><p>The insurer pays for the loss.</p><ul><li>Fire</li></ul><table>
    <tr><th>Cover</th><th>Limit</th></tr><tr><td>Fire</td><td>5000</td></tr></table>
    <label>Name</label> <input value="J. Smith"></form><p style="display:none">secret</p></body></html>"""
    document = parse_html(page)
    assert found(document)[:5] == [
        ("Title", "Policy HO-1"),
        ("Title", "Cover"),
        ("NarrativeText", "The insurer pays for the loss."),
        ("ListItem", "Fire"),
        ("Table", "Cover: Fire; Limit: 5000"),
    ]
    assert "Name J. Smith" in text(document)
    assert not re.search("evil|secret|p{}", text(document))


def test_tables_made_for_layout_are_read_as_text() -> None:
    letter = b"<p>Dear Sir,</p><p>We write about your claim.</p>"
    page = b"<table><tr><td><table><tr><td>" + letter + b"</td></tr></table></td></tr></table>"
    assert [category for category, _ in found(parse_html(page))] == ["UncategorizedText", "NarrativeText"]


def test_one_character_paragraphs_are_not_lost() -> None:
    assert text(parse_html(b"<div>Number of drivers</div><div>2</div>")).splitlines() == ["Number of drivers", "2"]


def test_html_entities_and_pictures_are_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    page = b"""<!DOCTYPE html [<!ENTITY e SYSTEM "file:///etc/passwd">]><html>
    <link rel=stylesheet href="http://x.test/a.css">
    <img src="http://x.test/a.png" alt="Logo"><iframe src="http://x.test"></iframe><p>Pay &e; now please.</p></html>"""
    assert "root:" not in text(parse_html(page))
    assert parse_text(b"The insurer pays the claim.").elements


def test_markdown_headings_lists_tables_and_code() -> None:
    table, code = b"| A | B |\n|---|---|\n| x | 1 |\n\n", b"```\na  b\n```\n"
    data = b"# Cover\n\nThe insurer pays for the loss.\n\n- Fire\n- Flood\n\n" + table + code
    assert [category for category, _ in found(parse_markdown(data))] == [
        "Title", "NarrativeText", "ListItem", "ListItem", "Table", "CodeSnippet",
    ]  # fmt: skip


def test_text_paragraphs_are_joined_and_names_with_values_stay_apart() -> None:
    data = (
        b"HOME POLICY\n\nInsured: J. Smith\nPolicy number: HO-1\n\n"
        b"This policy provides cover for the building and for all that\nbelongs to it while it is lived in.\n\n"
        b"- Fire\n- Flood\n"
    )
    assert found(parse_text(data)) == [
        ("Title", "HOME POLICY"),
        ("UncategorizedText", "Insured: J. Smith"),
        ("UncategorizedText", "Policy number: HO-1"),
        (
            "NarrativeText",
            "This policy provides cover for the building and for all that belongs to it while it is lived in.",
        ),
        ("ListItem", "Fire"),
        ("ListItem", "Flood"),
    ]


@pytest.mark.parametrize("reader", [parse_text, parse_html, parse_markdown])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_the_usual_encodings(reader: Callable[[bytes], ParsedDocument], encoding: str) -> None:
    assert text(reader("Prämie für Müller: 5 €".encode(encoding))) == "Prämie für Müller: 5 €"


@pytest.mark.parametrize("reader", [parse_text, parse_html, parse_markdown])
def test_blank_text_is_one_blank_page_and_binary_is_refused(reader: Callable[[bytes], ParsedDocument]) -> None:
    for data in (b"", b" \n\t\r\n "):
        document = reader(data)
        assert (document.elements, [page.route for page in document.pages]) == ([], ["blank"])
    for data in (b"a\x00b", bytes(range(1, 32)) * 20):
        with pytest.raises(DocumentRefused) as refusal:
            reader(data)
        assert refusal.value.code == "not_text"


def test_the_same_bytes_give_the_same_result() -> None:
    data = b"# Cover\n\nThe insurer pays.\n\nThe insurer pays.\n"
    first, second = parse_markdown(data), parse_markdown(data)
    assert first.to_json() == second.to_json()
    assert len({element.id for element in first.elements}) == 3


@pytest.mark.parametrize("sign", "[<(*")
def test_a_long_run_of_signs_is_read_whole(sign: str) -> None:
    # In the square of its length, this would take minutes.
    found = parse_text((sign * 100_000 + "\n\nThe insurer pays for the loss.").encode()).elements
    assert [len(element.text) for element in found] == [100_000, 30]
