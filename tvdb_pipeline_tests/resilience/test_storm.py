"""The storm at a fiftieth of its size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tvdb_pipeline_tests.resilience.storm import SMALL, calm, calm_limits, kill_limits, run_phase
from tvdb_pipeline_tests.resilience.storm_figures import faults_of


@pytest.mark.parametrize("kills", [False, True], ids=["calm", "kills"])
def test_limits_hold_and_the_ledger_is_the_bill(database_url: str, tmp_path: Path, kills: bool) -> None:
    plan = SMALL if kills else calm(SMALL)
    limits = kill_limits(plan) if kills else calm_limits(plan)
    figures = run_phase(plan, database_url, tmp_path / "storm", limits, kills=kills)
    assert faults_of(figures, kills=kills) == []
    assert figures.admitted >= plan.admitted * (1 if kills else 0.5)
    if kills:
        assert figures.kills >= plan.kills
        assert figures.attempts >= plan.attempts
