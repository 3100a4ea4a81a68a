"""Killed at any point, the next process ends up where no kill would have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tvdb_pipeline.waypoints import WAYPOINTS
from tvdb_pipeline_tests.resilience.crash_points import World


@pytest.fixture(scope="module")
def world(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(server_url, tmp_path_factory.mktemp("crash")) as made:
        yield made


def test_the_work_passes_every_named_point_and_no_other(world: World) -> None:
    assert sorted(world.first_seen) == sorted(WAYPOINTS)
    assert len(WAYPOINTS) >= 40


LAPSED = "the ledger differs although every outcome is known"
"""Leases here last fractions of a second. Where the machine stands still for as long, one lapses in mid-request, which is then
booked in full, as it has to be: what a second kill does not show again was that."""
EVERY_FOURTH = sorted(WAYPOINTS)[::4]
"""A quarter of them, for the time they take; `make crash-points` kills at each."""


@pytest.mark.parametrize("point", EVERY_FOURTH)
def test_a_kill_loses_nothing_doubles_nothing_and_buys_nothing_twice(world: World, point: str) -> None:
    faults = world.killed_at(point)
    if faults == [LAPSED]:
        faults = world.killed_at(point)
    assert faults == []
