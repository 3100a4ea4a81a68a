"""What is said of a reading that cannot be trusted, without an engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tvdb_pipeline.parsing import ocr
from tvdb_pipeline.parsing.legibility import UNCOVERED, judge
from tvdb_pipeline.parsing.lines import Box
from tvdb_pipeline.parsing.recognition import Span


def span(text: str, confidence: float, room: float) -> Span:
    return Span(text, confidence, Box(0, 0, room * 20, 20), 14, room)


GOOD = span("Water damage is covered when sudden", 0.995, 14)
GREEK = span("\u03b1\u03c3\u03c6\u03b1\u03bb\u03b9\u03c3 \u03ba\u03b1\u03bb\u03c5\u03c0\u03c4\u03b5\u03b9", 0.98, 9)


def test_a_clean_page_needs_no_note() -> None:
    found = judge([GOOD] * 8, "rapidocr")
    assert (len(found.kept), found.confidence, found.note) == (8, 0.995, None)


def test_a_page_read_with_low_confidence_says_so() -> None:
    found = judge([span("Wate damag is coverd whn suden", 0.61, 14)] * 5, "rapidocr")
    assert found.note == "low OCR confidence (0.61)"
    assert len(found.kept) == 5


def test_confidence_of_an_engine_that_was_not_measured_is_not_judged() -> None:
    assert judge([Span("Water damage is covered", 0.9, Box(0, 0, 200, 20), 14)] * 5, "tesseract").note is None


@pytest.mark.parametrize("stray", [("", 0.0), ("", 0.97), ("\u5e02", 0.92), ("D D n v", 0.61)])
def test_lines_of_a_script_the_models_do_not_know_are_named_and_their_noise_left_out(stray: tuple[str, float]) -> None:
    found = judge([GOOD, GOOD, *[span(*stray, 16)] * 4], "rapidocr")
    assert found.kept == [GOOD, GOOD]
    assert found.note is not None
    assert f"4 of 6 lines not read: {UNCOVERED}" in found.note
    assert found.confidence < 0.5


def test_a_page_wholly_in_such_a_script_has_that_as_its_reason() -> None:
    found = judge([span("", 0.9, 16)] * 4, "rapidocr")
    assert (found.kept, found.confidence, found.note) == ([], 0.0, UNCOVERED)


def test_greek_is_said_to_be_covered_in_part() -> None:
    assert judge([GREEK] * 3, "rapidocr").note == "script only partly covered by the OCR models"


def test_a_signature_on_a_clean_page_needs_no_note() -> None:
    assert judge([GOOD] * 10 + [span("", 0.6, 5)], "rapidocr").note is None


def test_an_icon_is_no_line() -> None:
    assert judge([GOOD, span("", 0.2, 1.1)], "rapidocr").confidence == 0.995


def test_a_page_in_hebrew_is_refused_with_that_reason(corpus: Path) -> None:
    with Image.open(corpus / "scans" / "hebrew.png") as page:
        report = ocr.read_page(page, 1, 100).report
    assert (report.route, report.note) == ("failed", UNCOVERED)
