"""Answers whose process was killed, or whose database went away, before they were kept: taken in later, paid for once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
import stamina

from tvdb_pipeline import waypoints
from tvdb_pipeline.budget.ledger import Ledger
from tvdb_pipeline.budget.orders import Order, Windows
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.breaker import Breaker
from tvdb_pipeline.embedding.claims import TextClaims
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.requests import shares_of
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline.embedding.slips import Label, Slips
from tvdb_pipeline_tests.embedding.provider import (
    MODEL,
    TEXTS,
    booked_as_logged,
    cached,
    claimed,
    each_has_its_own_vector,
    states,
    wanted,
)
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Make = Callable[..., EmbeddingService]
Kill = Callable[..., Label]
LAPSED = Windows(3600, 86_400, held_lease=60, sent_lease=0.0, send_within=30)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """The database is tried again as in earnest, without the time between."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
    waypoints.listen(None)


@pytest.fixture
def lost(database: Database) -> Iterator[Database]:
    """The same database through connections of its own, which a test may end."""
    opened = Database(f"{database.url}&application_name=lost").open()
    yield opened
    opened.close()


@pytest.fixture
def kill(database: Database, make_ledger: Callable[..., Ledger], slips: Slips, fake_openai: FakeOpenAI) -> Kill:
    """Buys up to where the answer is on its slip, in whole or in part, and leaves everything as a killed process would."""

    def killed(part: float = 1.0, lengths: Windows | None = None) -> Label:
        request = wanted(*TEXTS)
        ledger = make_ledger(**({"lengths": lengths} if lengths else {}))
        order = Order(3, sum(each.tokens for each in request), "documents", shares_of(request))
        claims, hashes = TextClaims(database, MODEL, 600), [each.sha256 for each in request]
        claims.take(hashes)
        ledger.mark_sent(ledger.reserve(MODEL, order))
        label = Label(order.key, order.attempt, MODEL, claims.owner, hashes)
        slip = slips.open(label)
        body = httpx.post(
            f"{fake_openai.url}/embeddings",
            json={"model": MODEL, "input": TEXTS, "encoding_format": "base64"},
            headers={"X-Client-Request-Id": f"{order.key}-1"},
        ).content
        slip.write(body[: int(part * len(body))])
        slip.leave()
        return label

    return killed


def service_of(
    database: Database, make_ledger: Callable[..., Ledger], provider: OpenAIClient, slips: Slips
) -> EmbeddingService:
    ledger = Ledger(database, make_ledger().limits, make_ledger().lengths)
    return EmbeddingService(provider, ledger, database, Breaker(database, provider.subject), slips)


def slip_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("fault", [None, faults.Shuffle()], ids=["in-order", "shuffled"])
def test_an_answer_left_behind_is_taken_in_and_never_paid_for_again(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI, slips_folder: Path, kill: Kill, fault: faults.Fault | None,
) -> None:  # fmt: skip
    fake_openai.script = in_turn(fault)
    kill()
    assert (states(database), claimed(database)) == (["sent"], 3)
    service = make_service(provider)
    service.recover()
    assert (states(database), claimed(database), slip_names(slips_folder)) == (["settled"], 0, [])
    assert each_has_its_own_vector(database, TEXTS)
    assert make_ledger().state().spent_nano == fake_openai.bill_nano
    assert booked_as_logged(database, fake_openai)
    assert len(service.buy(wanted(*TEXTS)).bought) == 3
    assert fake_openai.attempts == 1


def test_taking_in_twice_changes_nothing(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient, kill: Kill
) -> None:
    kill()
    for _ in range(2):
        make_service(provider).recover()
    assert states(database) == ["settled"]
    assert make_ledger().state().held_nano == 0


def test_an_answer_found_after_its_lease_corrects_what_was_charged(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI, kill: Kill,
) -> None:  # fmt: skip
    kill(lengths=LAPSED)
    make_ledger().reap()
    assert states(database) == ["charged_unknown"]
    make_service(provider).recover()
    assert states(database) == ["settled"]
    assert make_ledger().state().spent_nano == fake_openai.bill_nano


@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_half_an_answer_is_dropped_and_charges_nothing_by_itself(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI, slips_folder: Path, kill: Kill, part: float,
) -> None:  # fmt: skip
    kill(part)
    service = make_service(provider)
    service.recover()
    assert (states(database), claimed(database), slip_names(slips_folder)) == (["sent"], 0, [])
    assert cached(database, TEXTS) == set()
    assert make_ledger().state().spent_nano == 0
    service.buy(wanted(*TEXTS))
    assert (states(database), fake_openai.attempts) == (["sent", "settled"], 2)


def test_half_an_answer_is_charged_once_its_lease_is_over(
    database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI, kill: Kill,
) -> None:  # fmt: skip
    kill(0.5, LAPSED)
    make_service(provider).recover()
    assert states(database) == ["charged_unknown"]
    assert make_ledger().state().spent_nano == fake_openai.bill_nano


def test_a_slip_of_another_database_is_left_alone(
    database: Database, make_service: Make, provider: OpenAIClient, slips: Slips, slips_folder: Path, kill: Kill
) -> None:
    slips.open(Label("unknown", 1, MODEL, "somebody", ["a"])).leave()
    kill()
    make_service(provider).recover()
    assert slip_names(slips_folder) == ["unknown-1.slip"]
    assert states(database) == ["settled"], "those after it are taken in all the same"


def test_a_slip_that_is_being_written_is_not_taken_in(
    database: Database, make_service: Make, provider: OpenAIClient, slips: Slips, slips_folder: Path, kill: Kill
) -> None:
    label = kill()
    body = next(slips.left_behind())[1]
    writing = slips.open(label)
    writing.write(body)
    make_service(provider).recover()
    assert (states(database), slip_names(slips_folder)) == (["sent"], [f"{label.request_key}-1.slip"])
    writing.leave()
    make_service(provider).recover()
    assert states(database) == ["settled"]


def test_an_answer_that_cannot_be_booked_does_not_stop_the_others(
    database: Database, make_service: Make, provider: OpenAIClient, slips_folder: Path, kill: Kill
) -> None:
    label = kill()
    path = slips_folder / f"{label.request_key}-1.slip"
    first, _, body = path.read_bytes().partition(b"\n")
    path.write_bytes(first + b"\n" + body.replace(b'"total_tokens": ', b'"total_tokens": 99999999999999999999'))
    kill()
    make_service(provider).recover()
    assert "settled" in states(database)


def restarted(url: str) -> None:
    """Ends all connections of the database that `lost` opened, as a restart of the server would."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'lost'")


@pytest.mark.parametrize("idle", [1, 6])
def test_a_restart_of_the_database_between_answer_and_keeping_loses_nothing(
    lost: Database, database: Database, make_ledger: Callable[..., Ledger], provider: OpenAIClient, fake_openai: FakeOpenAI,
    slips: Slips, slips_folder: Path, idle: int,
) -> None:  # fmt: skip
    with ExitStack() as stack:
        for _ in range(idle):
            stack.enter_context(lost.connection())

    def cut(name: str) -> None:
        if name == "provider.answered":
            waypoints.listen(None)
            restarted(database.url)

    service = service_of(lost, make_ledger, provider, slips)
    waypoints.listen(cut)
    assert service.buy(wanted(*TEXTS)).failure is None
    assert (states(database), fake_openai.attempts, slip_names(slips_folder)) == (["settled"], 1, [])
    assert each_has_its_own_vector(database, TEXTS)


def test_a_database_lost_between_answer_and_keeping_leaves_the_slip(
    lost: Database, database: Database, make_service: Make, make_ledger: Callable[..., Ledger], provider: OpenAIClient,
    fake_openai: FakeOpenAI, slips: Slips, slips_folder: Path,
) -> None:  # fmt: skip
    waypoints.listen(lambda name: lost.close() if name == "provider.answered" else None)
    with pytest.raises(psycopg.OperationalError):
        service_of(lost, make_ledger, provider, slips).buy(wanted(*TEXTS))
    waypoints.listen(None)
    assert (states(database), len(slip_names(slips_folder))) == (["sent"], 1)
    service = make_service(provider)
    service.recover()
    assert (states(database), claimed(database), slip_names(slips_folder)) == (["settled"], 0, [])
    assert len(service.buy(wanted(*TEXTS)).bought) == 3
    assert fake_openai.attempts == 1
    assert booked_as_logged(database, fake_openai)
