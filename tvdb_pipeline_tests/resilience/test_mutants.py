"""The list of deliberate bugs is in step with the code they are put into."""

from __future__ import annotations

import pytest

from tvdb_pipeline_tests.resilience.mutants import CHECKOUT, MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_place_of_each_bug_is_there_and_the_only_one(mutant: Mutant) -> None:
    source = (CHECKOUT / "tvdb_pipeline" / mutant.file).read_text()
    assert source.count(mutant.right) == 1
    assert all((CHECKOUT / "tvdb_pipeline_tests" / test).exists() for test in mutant.tests)
