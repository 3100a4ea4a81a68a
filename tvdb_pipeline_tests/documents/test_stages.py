"""Order of stages and the arithmetic of data versions."""

from __future__ import annotations

import pytest

from tvdb_pipeline.documents.stages import STAGES, Stage, data_versions, fingerprint, upstream

MARKS: dict[Stage, str] = {stage: f"mark of {stage}" for stage in STAGES}
CONTENT = "c" * 64


def test_each_stage_but_the_first_has_the_one_before_it() -> None:
    assert [upstream(stage) for stage in STAGES] == [None, *STAGES[:-1]]


def test_the_version_of_the_raw_file_is_its_content_hash() -> None:
    versions = data_versions(CONTENT, MARKS)
    assert versions["raw_file"] == CONTENT
    assert tuple(versions) == STAGES
    assert len(set(versions.values())) == len(STAGES)


@pytest.mark.parametrize("changed", STAGES[1:])
def test_a_changed_stage_changes_its_version_and_all_later_ones(changed: Stage) -> None:
    before, after = data_versions(CONTENT, MARKS), data_versions(CONTENT, {**MARKS, changed: "new"})
    position = STAGES.index(changed)
    assert all(before[stage] == after[stage] for stage in STAGES[:position])
    assert all(before[stage] != after[stage] for stage in STAGES[position:])


def test_changed_bytes_change_every_version() -> None:
    before, after = data_versions(CONTENT, MARKS), data_versions("d" * 64, MARKS)
    assert all(before[stage] != after[stage] for stage in STAGES)


def test_a_fingerprint_depends_on_names_and_values_and_not_on_their_order() -> None:
    assert fingerprint(a=1, b="x") == fingerprint(b="x", a=1)
    marks = {fingerprint(a=1, b="x"), fingerprint(a=2, b="x"), fingerprint(a="1", b="x"), fingerprint(a=1, c="x")}
    assert len(marks) == 4
    assert all(len(mark) == 16 for mark in marks)
