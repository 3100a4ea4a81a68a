"""Changed files always end typed; the same seed gives the same files."""

from __future__ import annotations

from random import Random

from tvdb_pipeline_tests.hostile.fuzz import changed_file, fuzz
from tvdb_pipeline_tests.hostile.mutation import mutated
from tvdb_pipeline_tests.hostile.seeds import seeds

RUNS = 500


def test_five_hundred_changed_files_end_as_text_or_with_a_code() -> None:
    ends = fuzz(RUNS, seed=7, minutes=2)
    assert (ends.runs, ends.untyped) == (RUNS, [])
    assert sum(ends.codes.values()) == RUNS
    assert ends.codes["read"] > RUNS / 10


def test_a_run_is_known_by_its_seed_and_number() -> None:
    assert [changed_file(1, number) for number in range(20)] == [changed_file(1, number) for number in range(20)]
    assert changed_file(1, 3) != changed_file(2, 3)


def test_most_changes_change_something_in_every_kind_of_file() -> None:
    for name, data in seeds():
        changed = [mutated(data, b"other", Random(number)) != data for number in range(20)]
        assert sum(changed) > 10, name
