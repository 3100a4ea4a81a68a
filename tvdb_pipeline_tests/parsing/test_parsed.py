"""The JSON form of a parsed document, and its agreement with unstructured's own reader."""

from __future__ import annotations

import json

import pytest
from unstructured.documents.coordinates import PixelSpace
from unstructured.documents.elements import (
    TYPE_TO_TEXT_ELEMENT_MAP,
    CoordinatesMetadata,
    Element,
    ElementMetadata,
    ListItem,
    NarrativeText,
    Table,
    Title,
)

from tvdb_pipeline.parsing.parsed import PageReport, ParsedDocument


def placed(page: int) -> ElementMetadata:
    points = ((1.0, 2.0), (1.0, 8.0), (9.0, 8.0), (9.0, 2.0))
    return ElementMetadata(
        page_number=page,
        category_depth=1,
        languages=["eng"],
        coordinates=CoordinatesMetadata(points=points, system=PixelSpace(612, 792)),
    )


def document() -> ParsedDocument:
    table = Table("Cover: Fire", metadata=placed(2))
    table.metadata.text_as_html = "<table><tr><td>Fire</td></tr></table>"
    elements: list[Element] = [
        Title("Prämie 漢字 😀", metadata=placed(1)),
        NarrativeText('Quoted "text"\nwith \\ and \u2028.', metadata=placed(1)),
        ListItem("a) fire", element_id="0" * 32),
        table,
    ]
    elements[1].metadata.parent_id = elements[0].id
    pages = [PageReport(1, "text"), PageReport(2, "ocr", 0.93, 90), PageReport(3, "failed", note="image not read")]
    return ParsedDocument("application/pdf", elements, pages, ["attachment 1 was not read"])


def test_json_brings_back_the_same_document() -> None:
    before = document()
    after = ParsedDocument.from_json(before.to_json())
    assert after.to_json() == before.to_json()
    assert (after.media_type, after.pages, after.missing) == (before.media_type, before.pages, before.missing)
    assert [type(element) for element in after.elements] == [type(element) for element in before.elements]
    assert [element.id for element in after.elements] == [element.id for element in before.elements]
    assert [element.to_dict() for element in after.elements] == [element.to_dict() for element in before.elements]


def test_elements_are_read_as_unstructured_reads_them() -> None:
    from unstructured.staging.base import elements_from_dicts

    body = document().to_json()
    theirs = elements_from_dicts(json.loads(body)["elements"])
    ours = ParsedDocument.from_json(body).elements
    assert [type(element) for element in ours] == [type(element) for element in theirs]
    assert [element.to_dict() for element in ours] == [element.to_dict() for element in theirs]


@pytest.mark.parametrize("name", sorted(TYPE_TO_TEXT_ELEMENT_MAP))
def test_every_kind_of_text_element_comes_back(name: str) -> None:
    from unstructured.staging.base import elements_from_dicts

    element = TYPE_TO_TEXT_ELEMENT_MAP[name]("words", metadata=ElementMetadata(page_number=4))
    body = ParsedDocument("text/html", [element], [PageReport(4, "text")]).to_json()
    (ours,) = ParsedDocument.from_json(body).elements
    (theirs,) = elements_from_dicts(json.loads(body)["elements"])
    assert type(ours) is type(theirs)
    assert ours.to_dict() == theirs.to_dict() == element.to_dict()


def test_coverage_counts_every_page_once() -> None:
    coverage = document().coverage()
    assert coverage == {"text": 1, "ocr": 1, "blank": 0, "failed": 1}
    assert sum(coverage.values()) == len(document().pages)


def test_an_empty_document_survives() -> None:
    after = ParsedDocument.from_json(ParsedDocument("text/plain", [], []).to_json())
    assert (after.elements, after.pages, after.missing) == ([], [], [])
    assert after.coverage() == {"text": 0, "ocr": 0, "blank": 0, "failed": 0}
