"""What the sweeper takes up by itself, and the runs that come of it."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.orchestration.jobs import JOB_NAME
from tvdb_pipeline.orchestration.partitions import add_partitions
from tvdb_pipeline.orchestration.resources import EmbeddingClientResource
from tvdb_pipeline.settings import Settings, load_settings
from tvdb_pipeline_tests.fake_openai.faults import Fault, insufficient_quota, unavailable
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

Tick = Callable[[], list[dg.RunRequest]]


@pytest.fixture
def world(environment: Settings, fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the environment for a provider: `world(mode="REAL", ...)`."""

    def change(mode: str, **more: object) -> None:
        values = {
            "TVDB_SERVICE_MODE": mode, "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": fake_openai.url,
            "TVDB_PROVIDER_AGREEMENT": "synthetic", "TVDB_RETRY_FIRST_WAIT_SECONDS": 0.01,
            "TVDB_BREAKER_COOLDOWN_SECONDS": 600, **more,
        }  # fmt: skip
        for name, value in values.items():
            monkeypatch.setenv(name, str(value))

    return change


@pytest.fixture
def tick(environment: Settings, instance: dg.DagsterInstance) -> Tick:
    """One look of the sensor: the runs it asks for."""

    def look() -> list[dg.RunRequest]:
        defs = build_defs()
        context = dg.build_sensor_context(
            instance=instance, definitions=defs, resources={"embedding_client": EmbeddingClientResource()}
        )
        result = defs.get_sensor_def("recovery_sensor")(context)
        assert isinstance(result, dg.SensorResult | dg.SkipReason)
        return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []

    return look


@pytest.fixture
def carry_out(instance: dg.DagsterInstance) -> Callable[[list[dg.RunRequest]], None]:
    """Runs what was asked for, as the daemon would."""

    def run(requests: list[dg.RunRequest]) -> None:
        for request in requests:
            job = build_defs().resolve_job_def(JOB_NAME)
            job.execute_in_process(instance=instance, tags=dict(request.tags), raise_on_error=False)

    return run


def shop_now(database: Database) -> Workshop:
    return build_workshop(load_settings(), database, EmbeddingClientResource().create())


def ingest(database: Database, instance: dg.DagsterInstance, count: int) -> None:
    shop = shop_now(database)
    for number in range(count):
        (shop.settings.upload_dir / f"{number}.pdf").write_bytes(flowing_pdf(paragraphs(2, seed=number)))
    plan = make_plan(shop, [shop.settings.upload_dir])
    add_partitions(instance, plan.keys)
    list(walk(shop, plan.stale))


def states(database: Database) -> list[tuple[str, int]]:
    return [(document.state, document.provisional_vectors) for document in registry.load(database)]


def closes_again(database: Database) -> None:
    """The breaker's cool-down is over."""
    database.run("UPDATE tvdb.breaker SET retry_at = now() WHERE state = 'open'")


def failing(fault: Fault) -> Callable[[object], Fault | None]:
    return lambda _: fault


def healthy(_: object) -> Fault | None:
    return None


def test_stand_ins_are_replaced_once_the_provider_is_back(
    world: Callable[..., None], tick: Tick, carry_out: Callable[..., None], database: Database,
    instance: dg.DagsterInstance, fake_openai: FakeOpenAI,
) -> None:  # fmt: skip
    world("HYBRID")
    fake_openai.script = failing(insufficient_quota())
    ingest(database, instance, 3)
    assert [state for state, provisional in states(database) if provisional] == ["ready"] * 3
    assert tick() == [], "while the breaker is open nobody asks"
    fake_openai.script = healthy
    closes_again(database)
    first = tick()
    assert len(first) == 1, "one document finds out whether all is well"
    carry_out(first)
    assert sorted(provisional > 0 for _, provisional in states(database)) == [False, True, True]
    carry_out(tick())
    assert states(database) == [("ready", 0)] * 3
    assert database.fetch("SELECT DISTINCT mode FROM tvdb.vector_rows") == [("real",)]
    assert tick() == []
    assert sorted(set(fake_openai.texts)) == sorted(fake_openai.texts)


def test_only_as_many_stand_ins_are_replaced_as_the_budget_has_room_for(
    world: Callable[..., None], tick: Tick, database: Database, instance: dg.DagsterInstance, fake_openai: FakeOpenAI
) -> None:
    world("HYBRID", TVDB_DAILY_COST_LIMIT_USD=0)
    ingest(database, instance, 3)
    assert tick() == []
    tokens = database.fetch("SELECT sum(tokens) FROM tvdb.vector_rows GROUP BY document_key ORDER BY document_key")
    room = (tokens[0][0] + tokens[1][0]) * 20 / 1e9
    world("HYBRID", TVDB_DAILY_COST_LIMIT_USD=f"{room:.9f}", TVDB_DOCUMENTS_PER_RUN=1)
    assert len(tick()) == 2
    world("HYBRID", TVDB_HOURLY_REQUEST_LIMIT=0)
    assert tick() == []
    assert fake_openai.attempts == 0


def test_deferred_documents_wait_until_the_provider_may_be_asked_and_then_go_on(
    world: Callable[..., None], tick: Tick, carry_out: Callable[..., None], database: Database,
    instance: dg.DagsterInstance, fake_openai: FakeOpenAI,
) -> None:  # fmt: skip
    world("REAL")
    fake_openai.script = failing(unavailable(retry_after=300))
    ingest(database, instance, 2)
    assert [state for state, _ in states(database)] == ["deferred"] * 2
    assert tick() == []
    fake_openai.script = healthy
    database.run("UPDATE tvdb.documents SET next_attempt_at = now()")
    database.run("UPDATE tvdb.breaker SET rest_until = now()")
    carry_out(tick())
    assert states(database) == [("ready", 0)] * 2


def test_a_document_whose_run_was_killed_is_resumed_when_its_claim_lapses(
    world: Callable[..., None], tick: Tick, carry_out: Callable[..., None], database: Database,
    instance: dg.DagsterInstance,
) -> None:  # fmt: skip
    world("REAL")
    ingest(database, instance, 1)
    database.run(
        "UPDATE tvdb.documents SET state = 'processing', attempts = 1, claim_owner = 'x', claim_until = now() + '1 minute'"
    )
    assert tick() == []
    database.run("UPDATE tvdb.documents SET claim_until = now()")
    carry_out(tick())
    assert states(database) == [("ready", 0)]


def test_what_was_only_registered_waits_for_whoever_registered_it(
    world: Callable[..., None], tick: Tick, database: Database, instance: dg.DagsterInstance
) -> None:
    world("REAL")
    shop = shop_now(database)
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(paragraphs(1)))
    add_partitions(instance, make_plan(shop, [shop.settings.upload_dir]).keys)
    assert tick() == []


def test_what_a_killed_command_had_planned_is_taken_up_after_a_while(
    world: Callable[..., None], tick: Tick, database: Database, instance: dg.DagsterInstance
) -> None:
    world("REAL")
    shop = shop_now(database)
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(paragraphs(1)))
    keys = make_plan(shop, [shop.settings.upload_dir]).keys
    registry.expect_run(database, keys, seconds=600)
    assert tick() == []
    database.run("UPDATE tvdb.documents SET next_attempt_at = now()")
    assert len(tick()) == 1


def test_a_document_that_cannot_be_replaced_does_not_stand_in_the_way_of_the_others(
    world: Callable[..., None], tick: Tick, carry_out: Callable[..., None], database: Database,
    instance: dg.DagsterInstance, fake_openai: FakeOpenAI,
) -> None:  # fmt: skip
    world("HYBRID")
    fake_openai.script = failing(insufficient_quota())
    ingest(database, instance, 3)
    first, second = sorted(document.key for document in registry.load(database))[:2]
    database.run("UPDATE tvdb.documents SET state = 'rejected' WHERE key = %s", (first,))
    gone = registry.load(database, [second])[0].path
    (load_settings().upload_dir / gone).unlink()
    fake_openai.script = healthy
    closes_again(database)
    carry_out(tick())
    assert sorted(provisional > 0 for _, provisional in states(database)) == [False, True, True]


def test_a_document_larger_than_what_is_left_lets_smaller_ones_go_first_and_is_begun_when_alone(
    world: Callable[..., None], tick: Tick, database: Database, instance: dg.DagsterInstance
) -> None:
    world("HYBRID", TVDB_DAILY_COST_LIMIT_USD=0)
    shop = shop_now(database)
    for name, size in (("large.pdf", 30), ("small.pdf", 2)):
        (shop.settings.upload_dir / name).write_bytes(flowing_pdf(paragraphs(size, seed=size)))
    plan = make_plan(shop, [shop.settings.upload_dir])
    add_partitions(instance, plan.keys)
    list(walk(shop, plan.stale))
    weights = dict(database.fetch("SELECT document_key, sum(tokens)::int FROM tvdb.vector_rows GROUP BY 1"))
    large, small = max(weights, key=weights.__getitem__), min(weights, key=weights.__getitem__)
    assert weights[small] < 600 < weights[large]
    world("HYBRID", TVDB_DAILY_COST_LIMIT_USD=f"{600 * 20 / 1e9:.9f}")
    assert [request.tags["dagster/asset_partition_range_start"] for request in tick()] == [small]
    database.run("UPDATE tvdb.vector_rows SET provisional = false WHERE document_key = %s", (small,))
    assert [request.tags["dagster/asset_partition_range_start"] for request in tick()] == [large]


def test_a_document_being_processed_when_its_command_was_killed_is_due_when_its_claim_lapses(
    world: Callable[..., None], tick: Tick, database: Database, instance: dg.DagsterInstance
) -> None:
    world("REAL")
    shop = shop_now(database)
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(paragraphs(1)))
    plan = make_plan(shop, [shop.settings.upload_dir])
    add_partitions(instance, plan.keys)
    registry.expect_run(database, plan.keys, seconds=1800)
    outcomes = walk(shop, plan.stale)
    next(outcomes)
    outcomes.close()
    database.run("UPDATE tvdb.documents SET claim_owner = NULL, claim_until = NULL")
    assert [document.state for document in registry.load(database)] == ["processing"]
    assert len(tick()) == 1
