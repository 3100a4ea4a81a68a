"""Bills: what requests cost, spread over the documents they were made for, with nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvdb_pipeline.budget.bills import Bill, bills
from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline_tests.budget.bookkeeping import LARGE, SMALL, bought, order, sent, settle

MakeLedger = Callable[..., Ledger]
DOCUMENTS = ["a", "b", "c", "d"]


def test_the_bills_of_documents_add_up_to_the_ledger(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger()
    bought(database, book, order(100, a=60, b=40))
    bought(database, book, order(50, b=50), model=LARGE)
    book.charge_unknown(sent(book, order(30, a=30)))
    book.release(sent(book, order(999, a=999)))
    sent(book, order(999, b=999))
    book.reserve(SMALL, order(999, b=999))
    assert bills(database, ["a", "b", "c"]) == {"a": Bill(90, 2, 90 * 20), "b": Bill(90, 2, 40 * 20 + 50 * 130)}
    assert book.state().spent_nano == 90 * 20 + 40 * 20 + 50 * 130


def test_what_the_provider_counted_otherwise_is_spread_in_proportion(
    database: Database, make_ledger: MakeLedger
) -> None:
    book = make_ledger()
    bought(database, book, order(100, a=60, b=40), 110)
    assert bills(database, ["a", "b"]) == {"a": Bill(66, 1, 1320), "b": Bill(44, 1, 880)}


def test_what_was_asked_of_the_mock_is_on_the_bill_and_free(database: Database, make_ledger: MakeLedger) -> None:
    book = make_ledger()
    settle(database, book, book.record_free(MOCK_MODEL, order(70, a=70)), 70, MOCK_MODEL)
    assert bills(database, ["a"]) == {"a": Bill(70, 1, 0)}


def test_without_documents_there_are_no_bills(database: Database, make_ledger: MakeLedger) -> None:
    bought(database, make_ledger(), order(10, a=10))
    assert bills(database, []) == bills(database, ["b"]) == {}


@dataclass(frozen=True)
class Asked:
    """A request: tokens of each document, what the provider counted, how it ended."""

    model: str
    shares: dict[str, int]
    counted: int
    end: Literal["settled", "charged", "released", "sent", "held"]

    @property
    def billed(self) -> int:
        """Tokens on the bill."""
        return {"settled": self.counted, "charged": sum(self.shares.values())}.get(self.end, 0)


ASKED = st.builds(
    Asked,
    st.sampled_from([SMALL, LARGE]),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(1, 5000), min_size=1),
    st.integers(0, 20_000),
    st.sampled_from(["settled", "settled", "settled", "charged", "released", "sent", "held"]),
)


def make(database: Database, book: Ledger, asked: Asked) -> None:
    number = book.reserve(asked.model, order(sum(asked.shares.values()), **asked.shares))
    if asked.end != "held":
        book.mark_sent(number)
    if asked.end == "settled":
        settle(database, book, number, asked.counted, asked.model)
    elif asked.end == "charged":
        book.charge_unknown(number)
    elif asked.end == "released":
        book.release(number)


@settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.lists(ASKED, max_size=6), st.sets(st.sampled_from(DOCUMENTS)))
def test_no_token_is_lost_to_rounding_and_each_document_bears_its_part(
    database: Database, make_ledger: MakeLedger, requests: Sequence[Asked], some: set[str]
) -> None:
    with database.connection() as conn:
        conn.execute("DELETE FROM tvdb.requests")
        conn.execute("DELETE FROM tvdb.dollar_windows")
        conn.execute("UPDATE tvdb.request_window SET used = 0, retries = 0")
    book = make_ledger()
    for asked in requests:
        make(database, book, asked)
    billed = bills(database, DOCUMENTS)
    assert sum(bill.cost_nano for bill in billed.values()) == book.state().spent_nano
    assert sum(bill.tokens for bill in billed.values()) == sum(asked.billed for asked in requests)
    assert bills(database, sorted(some)) == {key: bill for key, bill in billed.items() if key in some}
    for key in DOCUMENTS:
        own = [asked for asked in requests if key in asked.shares and asked.end in ("settled", "charged")]
        assert (billed[key].requests if key in billed else 0) == len(own)
        parts = [Fraction(asked.billed * asked.shares[key], sum(asked.shares.values())) for asked in own]
        worth = sum(part * price(asked.model) for part, asked in zip(parts, own, strict=True))
        if own:
            assert abs(billed[key].tokens - sum(parts)) < len(own)
            assert abs(billed[key].cost_nano - worth) < sum(price(asked.model) for asked in own)
