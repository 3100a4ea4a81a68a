"""What a provider's headers ask of us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvdb_pipeline.embedding.pacing import LONGEST_SECONDS, rest, retry_after

LEFT_REQUESTS, RESET_REQUESTS = "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"
LEFT_TOKENS, RESET_TOKENS = "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "1e9"}, LONGEST_SECONDS),
        ({"retry-after": "inf"}, LONGEST_SECONDS),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9),
        ({"retry-after": "soon", LEFT_REQUESTS: "0", RESET_REQUESTS: "3s"}, 3),
        ({LEFT_REQUESTS: "0", RESET_REQUESTS: "6m0s"}, 360),
        ({LEFT_TOKENS: "0", RESET_TOKENS: "120ms"}, 0.12),
        ({LEFT_REQUESTS: "0", RESET_REQUESTS: "1s", LEFT_TOKENS: "0", RESET_TOKENS: "2s"}, 2),
        ({LEFT_REQUESTS: "5", RESET_REQUESTS: "6m0s"}, None),
    ],
)
def test_a_refusal_says_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_is_counted_from_now() -> None:
    later = retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)})
    assert later == pytest.approx(100, abs=5)
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("1.5s", 1.5),
        ("1d", 86_400),
        ("9d", 86_400),
        ("7", 7),
        ("12ms", 0.012),
    ],
)
def test_durations_are_read_as_they_are_written(text: str, seconds: float) -> None:
    assert rest({LEFT_REQUESTS: "0", RESET_REQUESTS: text}, 1) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "5x", "1s junk", "nan", "-5s", "1s-2s"])
def test_a_duration_that_makes_no_sense_asks_for_nothing(text: str) -> None:
    assert rest({LEFT_REQUESTS: "0", RESET_REQUESTS: text}, 1) == 0


def test_rest_is_asked_for_only_where_the_next_request_would_not_fit() -> None:
    headers = {LEFT_TOKENS: "100", RESET_TOKENS: "4s"}
    assert (rest(headers, 100), rest(headers, 101)) == (0, 4)
    assert rest({LEFT_TOKENS: "many", RESET_TOKENS: "4s"}, 1) == 0
    assert rest({LEFT_TOKENS: "0"}, 1) == 0


@given(
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", LEFT_TOKENS, RESET_TOKENS]), st.text(max_size=12))
)
def test_no_header_whatever_does_harm(headers: dict[str, str]) -> None:
    seconds = retry_after(headers)
    assert seconds is None or 0 <= seconds <= LONGEST_SECONDS
