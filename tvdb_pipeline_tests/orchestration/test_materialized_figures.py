"""The figures of materializations, as Dagster keeps and plots them, and what the definitions say of themselves."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from tvdb_pipeline.definitions import build_defs
from tvdb_pipeline.documents.stages import STAGES
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.orchestration.checks import CHECK_SPECS
from tvdb_pipeline.orchestration.partitions import add_partitions
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

Launch = Callable[..., dg.ExecuteInProcessResult]
Figures = dict[str, dict[str, object]]


@pytest.fixture
def materialized(shop: Workshop, instance: dg.DagsterInstance, launch: Launch) -> Callable[[], Figures]:
    """Runs all uploads; asset -> the metadata of its latest materialization."""

    def run() -> Figures:
        keys = make_plan(shop, [shop.settings.upload_dir]).keys
        add_partitions(instance, keys)
        assert launch(keys).success
        latest = {stage: instance.get_latest_materialization_event(dg.AssetKey(stage)) for stage in STAGES}
        return {
            stage: {name: value.value for name, value in event.asset_materialization.metadata.items()}
            for stage, event in latest.items()
            if event is not None and event.asset_materialization is not None
        }

    return run


def of(outcomes: list[StageOutcome], key: str, stage: str) -> dict[str, int | float | str]:
    return next(dict(found.metrics) for found in outcomes if (found.key, found.stage) == (key, stage))


def test_every_asset_tells_its_figures_as_numbers(shop: Workshop, materialized: Callable[[], Figures]) -> None:
    body = flowing_pdf(paragraphs(3))
    (shop.settings.upload_dir / "policy.pdf").write_bytes(body)
    seen = materialized()
    assert seen["raw_file"] == {"bytes": len(body), "media_type": "application/pdf"}
    parsed = seen["parsed_text"]
    routes = ("text", "ocr", "blank", "failed")
    assert [parsed[f"pages_{route}"] for route in routes] == [1, 0, 0, 0]
    assert isinstance(parsed["characters"], int)
    assert parsed["characters"] > parsed["elements"] > 0  # pyright: ignore[reportOperatorIssue]
    chunks, vectors, rows = seen["chunks"], seen["embeddings"], seen["vector_rows"]
    assert chunks["chunks"] == vectors["vectors"] == vectors["texts_bought"] == rows["rows"] == rows["vectors"] == 1
    assert chunks["tokens"] == vectors["tokens"]
    assert (vectors["texts_reused"], vectors["provisional"], rows["provisional"]) == (0, 0, 0)
    assert (vectors["bill_usd"], vectors["model"]) == (0.0, "mock-hashed-1536")
    for stage in STAGES[1:]:
        assert isinstance(seen[stage]["seconds"], float), stage
    words = {(stage, name) for stage, found in seen.items() for name, value in found.items() if isinstance(value, str)}
    assert words == {("raw_file", "media_type"), ("embeddings", "model")}


def test_a_second_run_tells_pages_of_the_file_and_texts_reused(
    shop: Workshop, materialized: Callable[[], Figures]
) -> None:
    (shop.settings.upload_dir / "policy.pdf").write_bytes(flowing_pdf(paragraphs(3)))
    materialized()
    seen = materialized()
    assert seen["raw_file"]["pages"] == 1
    assert (seen["embeddings"]["texts_bought"], seen["embeddings"]["texts_reused"]) == (0, 1)
    assert seen["parsed_text"]["seconds"] == 0.0


def test_a_text_two_documents_share_is_on_one_bill_and_reused_by_the_other(
    make_shop: Callable[..., Workshop], fake_openai: FakeOpenAI
) -> None:
    shop = make_shop(client=OpenAIClient("text-embedding-3-small", "sk-test", fake_openai.url, 10.0))
    for name in ("first.pdf", "second.pdf"):
        (shop.settings.upload_dir / name).write_bytes(flowing_pdf(paragraphs(3)))
    keys = make_plan(shop, [shop.settings.upload_dir]).keys
    outcomes = list(walk(shop, keys))
    payer, other = (of(outcomes, key, "embeddings") for key in keys)
    assert (payer["texts_bought"], payer["texts_reused"], payer["bill_requests"]) == (1, 0, 1)
    assert payer["bill_tokens"] == payer["tokens"]
    assert payer["bill_usd"] == pytest.approx(20e-9 * int(payer["tokens"]))
    assert (other["texts_bought"], other["texts_reused"], other["bill_requests"], other["bill_usd"]) == (0, 1, 0, 0.0)


def test_assets_and_checks_say_what_they_are_and_whose(settings: Settings) -> None:
    specs = {spec.key.to_user_string(): spec for spec in build_defs(settings).resolve_all_asset_specs()}
    assert set(specs) == set(STAGES)
    for spec in specs.values():
        assert spec.description
        assert spec.owners == ["team:documents"]
        assert spec.group_name == "documents"
        assert spec.tags["tvdb/data"] == "health"
        assert spec.kinds
        assert isinstance(spec.metadata["overview"], dg.MarkdownMetadataValue)
    assert all(check.description for check in CHECK_SPECS)
    assert [check.name for check in CHECK_SPECS if not check.blocking] == ["text_covers_pages"]


def test_each_overview_names_the_plots_its_asset_has(settings: Settings, materialized: Callable[[], Figures]) -> None:
    (settings.upload_dir / "policy.pdf").write_bytes(flowing_pdf(paragraphs(1)))
    specs = {spec.key.to_user_string(): spec for spec in build_defs(settings).resolve_all_asset_specs()}
    for stage, found in materialized().items():
        overview = specs[stage].metadata["overview"].value
        for name, value in found.items():
            assert isinstance(value, str) or f"`{name}`" in overview, (stage, name)


def test_a_blocking_check_that_fails_ends_its_document_alone(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch
) -> None:
    for name, seed in (("hollow.pdf", 1), ("policy.pdf", 2)):
        (shop.settings.upload_dir / name).write_bytes(flowing_pdf(paragraphs(1, seed=seed)))
    keys = make_plan(shop, [shop.settings.upload_dir]).keys
    add_partitions(instance, keys)
    version = next(found.version for found in walk(shop, keys[:1]) if found.stage == "chunks")
    assert version is not None
    shop.artifacts.remove("chunks", version)
    shop.artifacts.put("chunks", version, b"[]")
    result = launch(keys)
    logged = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [entry.get_dagster_event().asset_check_evaluation_data for entry in logged]
    assert {(e.check_name, e.partition) for e in found if not e.passed} == {("sizes_within_limits", keys[0])}
    rows = instance.get_latest_materialization_event(dg.AssetKey("vector_rows"))
    assert rows is not None
    assert rows.asset_materialization is not None
    assert rows.asset_materialization.partition == keys[1]
    assert not result.success
