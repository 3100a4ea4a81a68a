"""Pages as JSON: the way back gives the same page, and nothing else passes for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvdb_pipeline.parsing.lines import Box, PageLines, TextLine
from tvdb_pipeline.parsing.page_records import MOST_BYTES, failed_page, from_record, to_record, too_long
from tvdb_pipeline.parsing.parsed import PageReport

numbers = st.floats(allow_nan=False) | st.integers(-(10**6), 10**6)
boxes = st.builds(Box, numbers, numbers, numbers, numbers)
pages = st.builds(
    PageLines,
    st.builds(
        PageReport,
        st.integers(1, 5000),
        st.sampled_from(["text", "ocr", "blank", "failed"]),
        st.none() | st.floats(0, 1),
        st.sampled_from([0, 90, 180, 270]),
        st.none() | st.text(max_size=300),
    ),
    numbers,
    numbers,
    st.lists(st.builds(TextLine, st.text(), boxes, numbers, st.booleans()), max_size=5),
    st.lists(boxes, max_size=5),
)


@given(pages)
def test_a_page_comes_back_as_it_was_on_one_line(page: PageLines) -> None:
    record = to_record(page)
    assert from_record(record) == page
    assert len(record.splitlines()) == 1


GOOD = json.loads(
    to_record(PageLines(PageReport(1, "text"), 612, 792, [TextLine("a", Box(1, 2, 3, 4), 9)], [Box(1, 2, 3, 2)]))
)
BAD: dict[str, Any] = {
    "no object": [],
    "nothing": {},
    "a page that is no number": {**GOOD, "report": {**GOOD["report"], "number": "1"}},
    "a page that is a truth value": {**GOOD, "report": {**GOOD["report"], "number": True}},
    "a way that is none": {**GOOD, "report": {**GOOD["report"], "route": "guess"}},
    "a way that is a list": {**GOOD, "report": {**GOOD["report"], "route": []}},
    "another entry of the report": {**GOOD, "report": {**GOOD["report"], "more": 1}},
    "a note without end": {**GOOD, "report": {**GOOD["report"], "note": "x" * 10_000}},
    "a note that is a number": {**GOOD, "report": {**GOOD["report"], "note": 1}},
    "three sizes": {**GOOD, "size": [1, 2, 3]},
    "a size that is text": {**GOOD, "size": ["612", 792]},
    "a line that is text": {**GOOD, "lines": ["abcdefg"]},
    "a line without text": {**GOOD, "lines": [[1, 1, 2, 3, 4, 9, False]]},
    "a line that is too short": {**GOOD, "lines": [["a", 1, 2]]},
    "a rule of texts": {**GOOD, "rules": [["1", "2", "3", "4"]]},
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_page_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="no page"):
        from_record(json.dumps(BAD[name]).encode())


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{",
        b"\xff",
        to_record(from_record(json.dumps(GOOD).encode())) + b"\n",
        b"[" * 200_000,
        b" " * (MOST_BYTES + 1),
    ],
    ids=["empty", "cut", "no text", "two lines", "nested", "long"],
)
def test_what_is_no_record_is_told(record: bytes) -> None:
    with pytest.raises(ValueError, match="no page"):
        from_record(record)


def test_a_page_given_up_says_why() -> None:
    page = from_record(failed_page(7, "reading it took too long"))
    assert (page.report.number, page.report.route, page.report.note) == (7, "failed", "reading it took too long")
    assert page.lines == []


def test_a_page_over_the_limit_is_told_before_it_is_sent() -> None:
    line = TextLine("x" * 1000, Box(0, 0, 1, 1), 9)
    assert not too_long(PageLines(PageReport(1, "text"), 612, 792, [line] * 100))
    assert too_long(PageLines(PageReport(1, "text"), 612, 792, [line] * 17_000))
    assert not too_long(PageLines(PageReport(1, "text"), 612, 792, [line] * 5_000)), "letters that take one byte"
