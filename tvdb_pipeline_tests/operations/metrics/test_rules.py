"""The alert rules and the dashboard ask for what the endpoint tells, and for nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.operations.metrics.scraping import Scrape, Series

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana" / "tvdb.json").read_text())
OF_PROMETHEUS = {"instance", "job", "le"}
WANTED = {
    "TvdbEndpointDown", "TvdbDatabaseUnreachable", "TvdbBudgetHalfUsed", "TvdbBudgetNearlyUsed", "TvdbBudgetUsedUp",
    "TvdbBreakerOpen", "TvdbErrorsMany", "TvdbNothingIngested", "TvdbDocumentsWaitLong", "TvdbDaemonSilent",
    "TvdbDiskShort", "TvdbMemoryShort", "TvdbConnectionsShort",
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


def selected(expression: str) -> Iterator[Any]:
    """Every vector selector of an expression. Raises ValueError where it does not parse."""
    pending: list[Any] = [promql_parser.parse(expression)]
    while pending:
        node = pending.pop()
        if isinstance(node, promql_parser.VectorSelector):
            yield node
            continue
        inner = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
        pending += [child for child in [*inner, *getattr(node, "args", [])] if child is not None]


@pytest.fixture
def told(shop: Workshop, database: Database, scrape: Scrape) -> Series:
    """A scrape with every metric there can be: documents, an error, and a daemon that was heard of."""
    (shop.settings.upload_dir / "a.txt").write_text("Hail damage to the roof is covered.")
    (shop.settings.upload_dir / "damaged.pdf").write_bytes(b"%PDF-1.7\nnothing of use")
    list(walk(shop, make_plan(shop, [shop.settings.upload_dir]).stale))
    database.run("CREATE TABLE dagster.daemon_heartbeats (daemon_type text, timestamp timestamp)")
    database.run("INSERT INTO dagster.daemon_heartbeats VALUES ('SENSOR', now() AT TIME ZONE 'UTC')")
    return scrape()


def test_every_expression_parses_and_names_metrics_labels_and_states_that_exist(told: Series) -> None:
    values: dict[str, dict[str, set[str]]] = {}
    for name, labels in told:
        known = values.setdefault(name, {})
        for label, value in labels:
            known.setdefault(label, set()).add(value)
    used: set[str] = set()
    for expression in expressions():
        for selector in selected(expression):
            assert selector.name in values, expression
            used.add(selector.name)
            for matcher in selector.matchers.matchers:
                assert matcher.name in {*values[selector.name], *OF_PROMETHEUS}, expression
                if matcher.name not in OF_PROMETHEUS:
                    assert set(matcher.value.split("|")) <= values[selector.name][matcher.name], expression
    unasked = {name for name in values if name not in used}
    assert unasked == {
        "tvdb_build_info",
        "tvdb_breaker_trips",
        "tvdb_breaker_changes_total",
        "tvdb_stage_seconds_count",
    }


def test_every_rule_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    assert set(names) > WANTED
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]


def test_the_scrape_example_names_the_rules_and_the_default_port() -> None:
    example = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert all((DEPLOY / "prometheus" / name).is_file() for name in example["rule_files"])
    assert example["scrape_configs"][0]["static_configs"][0]["targets"] == ["127.0.0.1:9477"]


def test_the_dashboard_has_its_rows_and_no_panel_covers_another() -> None:
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Money", "Throughput", "Errors and breaker", "Latency", "Resources"]
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["description"] and panel["targets"] for panel in panels())
