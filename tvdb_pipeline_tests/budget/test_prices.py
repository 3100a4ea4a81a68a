"""Prices are whole nano-dollars."""

from __future__ import annotations

import pytest

from tvdb_pipeline.budget.prices import NANO_DOLLARS_A_TOKEN, dollars, price
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import Settings


@pytest.mark.parametrize(
    ("model", "dollars_a_million"),
    [("text-embedding-3-small", 0.02), ("text-embedding-3-large", 0.13), ("text-embedding-ada-002", 0.10)],
)
def test_prices_are_those_of_the_price_list(model: str, dollars_a_million: float) -> None:
    assert dollars(price(model) * 1_000_000) == pytest.approx(dollars_a_million)


def test_the_mock_costs_nothing() -> None:
    assert price(MOCK_MODEL) == 0


def test_every_price_is_a_whole_number() -> None:
    assert all(type(nano) is int and nano >= 0 for nano in NANO_DOLLARS_A_TOKEN.values())


def test_a_model_without_a_price_is_never_paid_for() -> None:
    with pytest.raises(TvdbError) as refused:
        price("text-embedding-9")
    assert refused.value.code == "unknown_price"


def test_the_default_model_has_a_price() -> None:
    assert price(Settings.model_fields["embedding_model"].default) > 0


def test_a_limit_in_dollars_is_exact_in_nano_dollars() -> None:
    settings = Settings(daily_cost_limit_usd="0.000000001", document_cost_limit_usd="0.3")  # pyright: ignore
    assert (settings.daily_limit_nano, settings.document_limit_nano) == (1, 300_000_000)
