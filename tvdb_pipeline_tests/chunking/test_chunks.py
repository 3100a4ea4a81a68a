"""The chunk record and its JSON form."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise

from unstructured.documents.elements import Element, ElementMetadata, ListItem, NarrativeText, Table, Text, Title

from tvdb_pipeline.chunking.chunks import chunk, from_json, size_report, to_json
from tvdb_pipeline.chunking.tokens import count_tokens


def on(page: int, kind: type[Text], text: str) -> Element:
    return kind(text=text, metadata=ElementMetadata(page_number=page))


SHORT = [
    on(2, Title, "Cover"),
    on(2, NarrativeText, "It pays. Twice."),
    on(3, ListItem, "fire"),
    on(4, Table, "Cover: Flood\nCover: Hail"),
]
LONG = [
    on(1 + number // 20, NarrativeText, f"Sentence {number} tells of loss {number * 7919}.") for number in range(200)
]


def test_a_short_document_is_one_chunk_of_readable_text() -> None:
    (piece,) = chunk(SHORT)
    assert piece.text == "Cover\nIt pays. Twice.\nfire\nCover: Flood\nCover: Hail"
    assert (piece.index, piece.page_start, piece.page_end, piece.section) == (0, 2, 4, ("Cover",))


def test_tokens_and_hash_are_those_of_the_text() -> None:
    for piece in chunk(LONG):
        assert piece.tokens == count_tokens(piece.text)
        assert piece.sha256 == hashlib.sha256(piece.text.encode()).hexdigest()


def test_chunks_are_numbered_and_their_pages_never_go_back() -> None:
    pieces = chunk(LONG)
    assert [piece.index for piece in pieces] == list(range(len(pieces)))
    assert len(pieces) > 5
    assert (pieces[0].page_start, pieces[-1].page_end) == (1, 10)
    assert all(piece.page_start <= piece.page_end for piece in pieces)
    assert all(before.page_end <= after.page_start for before, after in pairwise(pieces))


def test_pages_and_sections_are_no_part_of_the_text() -> None:
    moved = [on(9, NarrativeText, element.text) for element in LONG]
    assert [piece.text for piece in chunk(moved)] == [piece.text for piece in chunk(LONG)]


def test_a_document_without_text_has_no_chunks() -> None:
    assert chunk([]) == []
    assert chunk([NarrativeText("  ")]) == []


def test_json_brings_back_the_same_chunks() -> None:
    pieces = chunk([*SHORT, *LONG, NarrativeText('Prämie "漢字" \\ 😀')])
    assert from_json(to_json(pieces)) == pieces


def test_size_report_passes_what_fits() -> None:
    report = size_report(chunk(LONG))
    assert report.passed
    assert (report.chunks, 0 < report.least <= report.most <= 512) == (len(chunk(LONG)), True)


def test_size_report_fails_nothing_empty_chunks_and_long_ones() -> None:
    (piece,) = chunk(SHORT)
    assert not size_report([]).passed
    assert not size_report([replace(piece, text=" \n")]).passed
    assert not size_report([piece, replace(piece, text="word " * 513)]).passed


def test_size_report_does_not_believe_the_stored_count() -> None:
    (piece,) = chunk(SHORT)
    assert not size_report([replace(piece, text="word " * 600, tokens=5)]).passed
