"""Reading an answer: nothing in it is believed."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvdb_pipeline.embedding.answers import read_answer
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.models import DIMENSIONS

Rows = list[tuple[Any, Any]]
"""Index and embedding of each."""


def axis(position: int, length: float = 1.0, size: int = DIMENSIONS) -> list[float]:
    return [length if index == position else 0.0 for index in range(size)]


def encoded(numbers: list[float]) -> str:
    return base64.b64encode(np.asarray(numbers, dtype="<f4").tobytes()).decode()


def body(rows: Rows, tokens: Any = 9) -> bytes:
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in rows]
    return json.dumps(
        {"object": "list", "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    ).encode()


def directions(answer: bytes, expected: int) -> list[int]:
    return [int(row.argmax()) for row in read_answer(answer, expected).vectors]


def refusal(answer: bytes, expected: int = 3) -> ProviderError:
    with pytest.raises(ProviderError) as refused:
        read_answer(answer, expected)
    return refused.value


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)))
def test_rows_go_by_their_index_in_whatever_order_they_come(order: list[int]) -> None:
    assert directions(body([(index, encoded(axis(index))) for index in order]), 6) == list(range(6))


def test_lists_and_base64_are_both_read_and_brought_to_unit_length() -> None:
    answer = read_answer(body([(1, encoded(axis(1, 3.5))), (0, axis(0, 0.2))], tokens=7), 2)
    assert (answer.tokens, answer.vectors.dtype, answer.vectors.shape) == (7, np.float32, (2, DIMENSIONS))
    assert np.allclose(answer.vectors, [axis(0), axis(1)])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(0, axis(0)), (1, axis(1))],
        [(0, axis(0)), (1, axis(1)), (1, axis(2))],
        [(0, axis(0)), (1, axis(1)), (3, axis(2))],
        [(1, axis(0)), (2, axis(1)), (3, axis(2))],
        [(-1, axis(0)), (0, axis(1)), (1, axis(2))],
        [(index, axis(0)) for index in range(4)],
        [(0, axis(0)), (True, axis(1)), (2, axis(2))],
        [(0, axis(0)), ("1", axis(1)), (2, axis(2))],
        [(0, axis(0)), (1.0, axis(1)), (2, axis(2))],
        [(0, axis(0)), (None, axis(1)), (2, axis(2))],
        [(0, axis(0)), ([], axis(1)), (2, axis(2))],
    ],
    ids=["none", "short", "twice", "gap", "from-1", "from-minus-1", "surplus", "bool", "text", "float", "null", "list"],
)
def test_rows_that_are_not_one_for_each_text_are_no_answer(rows: Rows) -> None:
    assert refusal(body(rows)).code == "malformed_response"


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(
    "row",
    [
        None, 5, {}, "AAA=", "not base64!", "ü", ["a"] * DIMENSIONS, [[1.0]] * 2 + [1.0], axis(2, 0.0), axis(2, float("nan")),
        axis(2, float("inf")), axis(2, 3e38), [None] * DIMENSIONS, encoded(axis(2, float("nan"))), encoded(axis(2, 0.0)),
    ],
    ids=["null", "number", "object", "bytes", "junk", "umlaut", "words", "ragged", "zero", "nan", "infinite", "overflow",
         "nulls", "nan64", "zero64"],
)  # fmt: skip
def test_a_vector_that_is_none_spoils_the_answer(row: object) -> None:
    error = refusal(body([(0, axis(0)), (1, axis(1)), (2, row)]))
    assert (error.code, error.billed) == ("malformed_response", "unknown")


@pytest.mark.parametrize("row", [axis(0, size=512), axis(0, size=3072), encoded(axis(0, size=1024)), [], ""])
def test_another_number_of_dimensions_is_a_failure_of_its_own(row: object) -> None:
    error = refusal(body([(0, row), (1, axis(1)), (2, axis(2))]))
    assert (error.code, error.billed, error.failure.breaker) == ("wrong_dimension", "unknown", "trips")


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"\xff\xfe", b"null", b"[]", b"{}", b'"text"', b"[" * 200_000, b'{"data": null}', b"<html>log in</html>",
     b'{"data": [], "usage": {}}', b'{"data": [], "usage": null}', b'{"data": {}, "usage": {"total_tokens": 1}}',
     b'{"data": [1, 2, 3], "usage": {"total_tokens": 1}}'],
    ids=range(14),
)  # fmt: skip
def test_what_is_not_of_the_protocol_is_no_answer(answer: bytes) -> None:
    assert refusal(answer).code == "malformed_response"


@pytest.mark.parametrize("tokens", [None, -1, "9", 9.5, {}, True, 10**19])
def test_a_bill_that_makes_no_sense_is_no_answer(tokens: object) -> None:
    assert refusal(body([(index, axis(index)) for index in range(3)], tokens)).code == "malformed_response"


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["data", "usage", "total_tokens", "index", "embedding"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused(answer: object) -> None:
    assert refusal(json.dumps(answer).encode()).code in ("malformed_response", "wrong_dimension")
