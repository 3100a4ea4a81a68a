"""The breaker among many: threads, processes, and the service that passes it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy, Permit
from tvdb_pipeline.embedding.failures import ProviderError
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline_tests.embedding.provider import TEXTS, clauses, client, states, wanted
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Make = Callable[..., EmbeddingService]
AT_ONCE = BreakerPolicy(threshold=3, cooldown=0.0)
MANY = 16
ASKS_OFTEN = """
import sys
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.breaker import Breaker, BreakerPolicy
from tvdb_pipeline.embedding.failures import ProviderError

database = Database(sys.argv[1]).open()
breaker = Breaker(database, "one", BreakerPolicy())
print("ready", flush=True)
sys.stdin.readline()
probes = 0
for _ in range(25):
    try:
        probes += breaker.permit().probe
    except ProviderError:
        pass
print(probes, flush=True)
database.close()
"""


def opened(database: Database, policy: BreakerPolicy = AT_ONCE) -> Breaker:
    """A breaker that is open, its pause just over."""
    breaker = Breaker(database, "one", policy)
    breaker.failed(breaker.permit(), ProviderError("auth"))
    return breaker


def test_of_many_threads_one_gets_the_probe(database: Database) -> None:
    breaker = opened(database)
    for _ in range(5):
        together = threading.Barrier(MANY)

        def ask(together: threading.Barrier = together) -> Permit | None:
            together.wait()
            try:
                return breaker.permit()
            except ProviderError:
                return None

        with ThreadPoolExecutor(MANY) as pool:
            permits = [future.result() for future in [pool.submit(ask) for _ in range(MANY)]]
        (probe,) = [permit for permit in permits if permit is not None]
        assert probe.probe
        breaker.failed(probe, ProviderError("overload"))


def test_of_many_processes_one_gets_the_probe(database: Database) -> None:
    opened(database)
    command = [sys.executable, "-c", ASKS_OFTEN, database.url]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 1


def test_failures_add_up_across_threads_and_open_it_once(database: Database) -> None:
    breaker = Breaker(database, "one", BreakerPolicy(threshold=MANY))
    permits = [breaker.permit() for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(lambda permit: breaker.failed(permit, ProviderError("overload")), permits))
    assert (breaker.state().state, breaker.state().trips, breaker.state().failures) == ("open", 1, MANY)


def test_services_that_fail_one_after_another_leave_the_provider_alone(
    database: Database, make_service: Make, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(then=faults.server_error())
    services = [make_service(client(fake_openai.url), BreakerPolicy(threshold=5)) for _ in range(4)]
    failures = [service.buy(wanted(text)).failure for service, text in zip(services, clauses(4), strict=True)]
    assert [failure and failure.code for failure in failures] == ["overload", *["breaker_open"] * 3]
    assert fake_openai.attempts == 5
    assert failures[3] is not None
    assert failures[3].retry_at == services[0].breaker.state().retry_at
    assert len(states(database)) == 5, "what is not sent is not reserved"


@pytest.mark.parametrize("fault", [faults.invalid_key(), faults.insufficient_quota(), faults.model_not_found()])
def test_one_refusal_of_the_account_stops_all_services(
    database: Database, make_service: Make, fake_openai: FakeOpenAI, fault: Fault
) -> None:
    fake_openai.script = in_turn(then=fault)
    for text in clauses(3):
        make_service(client(fake_openai.url)).buy(wanted(text))
    assert fake_openai.attempts == 1
    fake_openai.script = in_turn()
    mended = make_service(client(fake_openai.url, key="sk-other")).buy(wanted("one more"))
    assert (mended.failure, fake_openai.attempts) == (None, 2)


def test_while_one_service_probes_the_others_send_nothing(
    database: Database, make_service: Make, fake_openai: FakeOpenAI
) -> None:
    probing, go = threading.Event(), threading.Event()

    def script(arrival: Arrival) -> Fault | None:
        if arrival.number == 1:
            return faults.invalid_key()
        if arrival.number == 2:
            probing.set()
            go.wait(20)
        return None

    fake_openai.script = script
    make_service(client(fake_openai.url), AT_ONCE).buy(wanted("first"))
    with ThreadPoolExecutor(1) as pool:
        probe = pool.submit(make_service(client(fake_openai.url), AT_ONCE).buy, wanted("probe"))
        assert probing.wait(20)
        others = [make_service(client(fake_openai.url), AT_ONCE).buy(wanted(text)).failure for text in TEXTS]
        go.set()
        assert probe.result().failure is None
    assert [failure and failure.code for failure in others] == ["breaker_open"] * 3
    assert make_service(client(fake_openai.url), AT_ONCE).buy(wanted(*TEXTS)).failure is None
    assert fake_openai.attempts == 3


def test_a_probe_that_the_budget_stops_is_left_to_the_next(
    database: Database, make_service: Make, provider: OpenAIClient, fake_openai: FakeOpenAI
) -> None:
    fake_openai.script = in_turn(faults.invalid_key())
    make_service(provider, AT_ONCE).buy(wanted(*TEXTS))
    refusal = make_service(provider, AT_ONCE, daily_nano=1).buy(wanted(*TEXTS)).failure
    assert refusal is not None
    assert refusal.code == "day_limit"
    assert make_service(provider, AT_ONCE).buy(wanted(*TEXTS)).failure is None


def test_a_fault_of_ours_leaves_the_probe_to_the_next(
    database: Database,
    make_service: Make,
    provider: OpenAIClient,
    fake_openai: FakeOpenAI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_openai.script = in_turn(faults.invalid_key())
    service = make_service(provider, AT_ONCE)
    service.buy(wanted(*TEXTS))
    with monkeypatch.context() as patch:
        patch.setattr(OpenAIClient, "embed", lambda *_: {}["a fault"])
        with pytest.raises(KeyError):
            service.buy(wanted(*TEXTS))
    assert states(database)[-1] == "charged_unknown"
    assert service.buy(wanted(*TEXTS)).failure is None


def test_the_budgets_refusals_never_open_it(database: Database, make_service: Make, provider: OpenAIClient) -> None:
    service = make_service(provider, BreakerPolicy(threshold=1), daily_nano=1)
    for text in TEXTS:
        service.buy(wanted(text))
    assert (service.breaker.state().state, service.breaker.state().failures) == ("closed", 0)


def test_the_mock_passes_no_breaker(database: Database, make_service: Make) -> None:
    service = make_service(MockClient())
    service.breaker.failed(service.breaker.permit(), ProviderError("auth"))
    assert service.buy(wanted(*TEXTS)).failure is None
