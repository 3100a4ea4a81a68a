"""Sixteen processes and a provider that is down for a while."""

from __future__ import annotations

from tvdb_pipeline_tests.resilience.probes import run


def test_one_probe_at_a_time_and_all_go_on_afterwards(database_url: str) -> None:
    figures = run(database_url, processes=16, down_seconds=4.5, up_seconds=4.0)
    assert figures.probes >= 2
    assert figures.together == 1
    assert figures.idle_processes == 0
