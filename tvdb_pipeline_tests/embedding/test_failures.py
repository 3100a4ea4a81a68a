"""What each way of failing means, in one table."""

from __future__ import annotations

import pytest

from tvdb_pipeline.embedding.failures import FAILURES, ProviderError

LATER = dict.fromkeys(["rate_limit", "overload", "timeout", "connection", "malformed_response"], "counts")
NEVER_BY_ITSELF = dict.fromkeys(["auth", "quota", "wrong_model", "wrong_dimension"], "trips")
NOT_THE_PROVIDERS = dict.fromkeys(
    ["bad_request", "refused_input", "late", "no_key", "no_agreement", "breaker_open", "resting"], "ignores"
)


@pytest.mark.parametrize(("code", "verdict"), [*(LATER | NEVER_BY_ITSELF | NOT_THE_PROVIDERS).items()])
def test_the_breaker_takes_each_failure_as_it_is_meant(code: str, verdict: str) -> None:
    assert FAILURES[code].breaker == verdict


def test_no_failure_is_left_out() -> None:
    assert set(FAILURES) == set(LATER | NEVER_BY_ITSELF | NOT_THE_PROVIDERS)


@pytest.mark.parametrize("code", FAILURES)
def test_only_what_may_pass_within_seconds_is_tried_again(code: str) -> None:
    assert FAILURES[code].again == (code in LATER or code == "late")


@pytest.mark.parametrize("code", FAILURES)
def test_only_what_lies_in_the_text_is_final(code: str) -> None:
    assert ProviderError(code).retryable == (code not in ("bad_request", "refused_input"))


@pytest.mark.parametrize("code", FAILURES)
def test_only_what_may_have_been_answered_may_have_been_billed(code: str) -> None:
    unsure = ("timeout", "connection", "malformed_response", "wrong_dimension")
    assert ProviderError(code).billed == ("unknown" if code in unsure else "no")


def test_what_is_better_known_overrules_the_table() -> None:
    assert ProviderError("connection", billed="no").billed == "no"
    assert ProviderError("overload", billed="unknown").billed == "unknown"


@pytest.mark.parametrize("code", FAILURES)
def test_each_is_a_refusal_with_one_sentence_of_advice(code: str) -> None:
    error = ProviderError(code, detail="Status 418.")
    assert (error.code, error.kind) == (code, "provider")
    assert str(error).endswith(". Status 418.")
    assert "\n" not in error.message
