"""Uploads, backfills, a failure mended, checks and plots, by clicking. All but the last test leave the documents as they are."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tvdb_pipeline.documents.stages import STAGES
from tvdb_pipeline.ingest.outcomes import CHECK_NAMES
from tvdb_pipeline_tests.ui.conftest import DOCUMENTS, EXAMPLES, TORN, WHOLE
from tvdb_pipeline_tests.ui.service import Service

if TYPE_CHECKING:
    from tvdb_pipeline_tests.ui.screen import Screen

SENSOR = "upload_folder_sensor"
PLOTS = {
    "raw_file": ("bytes",),
    "parsed_text": ("pages", "pages_text", "pages_ocr", "pages_blank", "pages_failed", "elements", "characters", "seconds"),
    "chunks": ("chunks", "tokens", "seconds"),
    "embeddings": ("vectors", "tokens", "bill_usd", "texts_bought", "texts_reused", "bill_requests", "provisional", "seconds"),
    "vector_rows": ("rows", "provisional", "seconds"),
}  # fmt: skip


def test_the_sensor_takes_up_what_is_put_into_the_folder(settled: Screen) -> None:
    settled.open_sensor(SENSOR)
    settled.sees("ingest_documents", re.compile("Takes up new, changed and renamed files"))
    settled.wait_for(re.compile("^[1-9] runs? requested"))
    settled.keep("sensor")


def test_the_graph_shows_five_assets_with_their_checks_and_the_one_document_that_failed(settled: Screen) -> None:
    settled.show_graph()
    settled.sees(*STAGES, re.compile(r"\(1 failed\)"), f"{len(DOCUMENTS) + 1} partitions", "2 / 2 Passed")
    settled.keep("graph")


@pytest.mark.parametrize("asset", STAGES)
def test_every_asset_has_a_plot_of_each_of_its_figures(settled: Screen, asset: str) -> None:
    settled.show_plots(asset)
    settled.sees_exactly(*PLOTS[asset])
    settled.keep("plots" if asset == "embeddings" else None)


def test_every_asset_says_what_it_is_and_whose(settled: Screen) -> None:
    settled.open_asset("parsed_text")
    settled.sees("every page accounted for", "Owners", "tvdb/data: health", re.compile("docs/parsing.md"))


@pytest.mark.parametrize(("asset", "check"), CHECK_NAMES)
def test_every_check_has_passed_and_says_what_it_looks_at(settled: Screen, asset: str, check: str) -> None:
    settled.open_check(asset, check)
    settled.sees("Passed", "Latest execution", "Plots")
    settled.keep("checks" if check == "cost_within_limits" else None)


def test_a_backfill_of_chosen_documents_is_launched_and_ends(settled: Screen) -> None:
    keys = [key for key in settled.partition_keys("raw_file") if not key.startswith("renewal-")]
    chosen = [keys[0], keys[4], keys[8]]
    settled.launch(chosen, picture="backfill-dialog")
    settled.open_backfill()
    settled.wait_for_backfill(len(STAGES))
    settled.sees(*chosen)
    settled.keep("backfill")


def test_a_document_that_failed_is_replaced_and_run_again(settled: Screen, service: Service) -> None:
    key = next(key for key in settled.partition_keys("vector_rows") if key.startswith("renewal-"))
    settled.open_partition("vector_rows", key)
    settled.sees(re.compile("failed, and did not materialize this asset"))
    settled.keep("failed")
    # The sensor would be first.
    settled.switch_sensor(SENSOR, on=False)
    shutil.copyfile(EXAMPLES / WHOLE, service.uploads / TORN)
    settled.launch()
    settled.wait_for_counts("vector_rows", materialized=len(DOCUMENTS) + 1, failed=0)
    settled.open_partition("embeddings", key)
    settled.sees("Materialized", "bill_usd", "texts_bought")
    settled.keep("mended")
