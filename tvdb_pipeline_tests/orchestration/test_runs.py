"""Runs over batches of documents, seen through the Dagster instance."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable

import dagster as dg
import pytest

from tvdb_pipeline.documents.stages import STAGES
from tvdb_pipeline.ingest.outcomes import CHECK_NAMES
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.orchestration.assets import OUTCOME_TAG
from tvdb_pipeline.orchestration.partitions import add_partitions, documents
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

Launch = Callable[..., dg.ExecuteInProcessResult]


def upload(shop: Workshop, count: int) -> list[str]:
    for number in range(count):
        (shop.settings.upload_dir / f"policy-{number:02}.pdf").write_bytes(flowing_pdf(paragraphs(3, seed=number)))
    return make_plan(shop, [shop.settings.upload_dir]).keys


def statuses(instance: dg.DagsterInstance, asset: str, keys: list[str]) -> Counter[str]:
    found = instance.get_status_by_partition(dg.AssetKey(asset), keys, documents)
    assert found is not None
    return Counter(status.value if status else "MISSING" for status in found.values())


def test_one_corrupt_document_of_ten_leaves_nine_materialized_and_one_failed_in_every_asset(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch
) -> None:
    keys = upload(shop, 10)
    (shop.settings.upload_dir / "policy-04.pdf").write_bytes(b"%PDF-1.4 torn")
    add_partitions(instance, keys)
    result = launch(keys)
    assert not result.success
    for asset in STAGES:
        assert statuses(instance, asset, keys) == {"MATERIALIZED": 9, "FAILED": 1}, asset
        failed = keys[4]
        assert statuses(instance, asset, [failed]) == {"FAILED": 1}


def test_every_document_gets_one_evaluation_of_each_of_the_five_checks(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch
) -> None:
    keys = upload(shop, 3)
    add_partitions(instance, keys)
    result = launch(keys)
    assert result.success
    logged = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [entry.get_dagster_event().asset_check_evaluation_data for entry in logged]
    seen = Counter((e.asset_key.to_user_string(), e.check_name, e.partition) for e in evaluations)
    assert seen == Counter((stage, name, key) for stage, name in CHECK_NAMES for key in keys)
    assert all(e.passed for e in evaluations)


def test_the_data_version_of_raw_file_is_the_content_hash(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch
) -> None:
    keys = upload(shop, 1)
    add_partitions(instance, keys)
    result = launch(keys)
    digest = hashlib.sha256((shop.settings.upload_dir / "policy-00.pdf").read_bytes()).hexdigest()
    logged = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    materialized = [entry.asset_materialization for entry in logged]
    versions = {
        found.asset_key.to_user_string(): found.tags["dagster/data_version"]
        for found in materialized
        if found is not None and found.tags
    }
    assert versions["raw_file"] == digest
    assert len(set(versions.values())) == 5


def test_a_stage_selected_without_its_upstream_says_so(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch
) -> None:
    keys = upload(shop, 1)
    add_partitions(instance, keys)
    seen: list[str] = []
    result = launch(keys, lambda outcome: seen.append(outcome.error.code if outcome.error else "passed"),
                    asset_selection=[dg.AssetKey("chunks")])  # fmt: skip
    assert not result.success
    assert seen == ["upstream_missing"]


def test_no_text_and_no_file_name_reaches_events_or_logs(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch
) -> None:
    (shop.settings.upload_dir / "Xanthippe-Quux.pdf").write_bytes(flowing_pdf(["Diagnosis: flibbertigibbet syndrome."]))
    (shop.settings.upload_dir / "Zebulon-Torn.pdf").write_bytes(b"%PDF-1.4 torn")
    opaque = shop.settings.model_copy(update={"key_style": "opaque"})
    shop.settings = opaque
    keys = make_plan(shop, [opaque.upload_dir]).keys
    add_partitions(instance, keys)
    result = launch(keys)
    written = "".join(str(entry) for entry in instance.all_logs(result.run_id)).lower()
    assert keys[0] in written
    for secret in ("flibbertigibbet", "xanthippe", "zebulon"):
        assert secret not in written


def test_a_run_that_only_had_to_wait_is_tagged_deferred(
    shop: Workshop, instance: dg.DagsterInstance, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TVDB_SERVICE_MODE", "REAL")
    keys = upload(shop, 1)
    add_partitions(instance, keys)
    result = launch(keys)
    assert not result.success
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags[OUTCOME_TAG] == "deferred"
