"""What is found in a text and replaced, and what is left alone."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.redaction_quality.counting import count
from benchmarks.redaction_quality.passages import passages
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.redaction.redactor import KINDS, Redactor


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor()


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("SSN 123-45-6789, phone (555) 123-4567", "SSN <SSN>, phone <PHONE>"),
        ("SSN: 123456789", "SSN: <SSN>"),
        ("Write to ada.okafor@example.org.", "Write to <EMAIL>."),
        ("Member ID: BCBS-2024-456789", "Member ID: <MEMBER_ID>"),
        ("Policy No. | HO-8839201-04 | effective 01/01/2025", "Policy No. | <POLICY_NUMBER> | effective 01/01/2025"),
        ("Claim # 22 3341 557 dated 03/04/2025", "Claim # <CLAIM_NUMBER> dated 03/04/2025"),
        ("member id no: 9988776655 01/02/2024", "member id no: <MEMBER_ID> 01/02/2024"),
        ("Medicare: 1EG4-TE5-MK73", "Medicare: <MEMBER_ID>"),
        ("call +44 20 7946 0958", "call <PHONE>"),
    ],
)
def test_a_number_that_names_a_person_gives_way_to_its_kind(redactor: Redactor, text: str, redacted: str) -> None:
    assert redactor.redact(text).text == redacted


@pytest.mark.parametrize(
    "text",
    [
        "NPI 1234567893, CPT 99213, $1,234.56 on 2025-03-04",
        "Form HO 00 03 05 11, ZIP 12345-6789, page 12 of 50",
        "A 90-day supply; policy number 12 months; group of 20 employees",
        "SSN 000-12-3456, 666-12-3456 and 900-12-3456 were never given",
        "Your policy number is on page 12345 of your card.",
        "",
    ],
)
def test_other_numbers_stay(redactor: Redactor, text: str) -> None:
    redacted = redactor.redact(text)
    assert (redacted.text, dict(redacted.counts)) == (text, {})


def test_what_was_replaced_is_counted_by_kind(redactor: Redactor) -> None:
    redacted = redactor.redact("SSN 123-45-6789 and 234-56-7890; a@example.org")
    assert redacted.counts == {"SSN": 2, "EMAIL": 1}


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_keeps_what_stands_between_the_findings(text: str) -> None:
    redactor = REDACTOR
    spans = redactor.spans(text)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    kept = text
    for span in reversed(spans):
        kept = f"{kept[: span.start]}<{span.kind}>{kept[span.end :]}"
    assert redactor.redact(text).text == kept


REDACTOR = Redactor()


def test_forms_it_was_not_written_from_are_found_as_often_as_is_told(redactor: Redactor) -> None:
    rows = {str(row["kind"]): row for row in count(redactor, passages("test", 200, 11)).rows()}
    floors = {"SSN": 0.98, "EMAIL": 0.98, "PHONE": 0.97, "MEMBER_ID": 0.85, "POLICY_NUMBER": 0.75, "CLAIM_NUMBER": 0.5}
    assert set(floors) == set(KINDS)
    assert {kind for kind, floor in floors.items() if rows[kind]["recall"] < floor} == set()  # pyright: ignore
    assert rows["all"]["precision"] > 0.9  # pyright: ignore[reportOperatorIssue]


def test_without_its_library_it_refuses_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    monkeypatch.setattr("tvdb_pipeline.redaction.redactor.find_spec", lambda name: None)
    with pytest.raises(TvdbError, match="pip install"):
        Redactor()
