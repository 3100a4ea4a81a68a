"""Identities and the keys drawn from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvdb_pipeline.documents.identity import document_key, identity, located

KEY = re.compile(r"[a-z0-9-]{1,80}")


def test_a_file_below_the_upload_folder_is_known_by_its_relative_path(tmp_path: Path) -> None:
    assert identity(tmp_path / "claims" / "a.pdf", tmp_path) == "claims/a.pdf"


def test_a_file_elsewhere_is_known_by_its_absolute_path(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "a.pdf"
    assert identity(other, tmp_path / "uploads") == str(other)


def test_a_relative_path_is_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "uploads").mkdir()
    monkeypatch.chdir(tmp_path)
    assert identity(Path("uploads/a.pdf"), tmp_path / "uploads") == "a.pdf"
    assert identity(Path("uploads/../b.pdf"), tmp_path / "uploads") == str(tmp_path / "b.pdf")


def test_a_folder_reached_through_a_link_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert identity(tmp_path / "link" / "a.pdf", tmp_path / "real") == "a.pdf"


def test_located_is_the_inverse_of_identity(tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    for path in (uploads / "x" / "a.pdf", tmp_path / "b.pdf"):
        assert located(identity(path, uploads), uploads) == path


def test_a_slug_key_shows_the_file_name_and_an_opaque_key_does_not() -> None:
    slug, opaque = document_key("2024/Jane Doe, Claim.PDF", "slug"), document_key("2024/Jane Doe, Claim.PDF", "opaque")
    assert slug.startswith("jane-doe-claim-pdf-")
    assert re.fullmatch(r"doc-[0-9a-f]{16}", opaque)
    assert slug[-16:] == opaque[-16:]


def test_the_same_name_in_two_folders_gives_two_keys() -> None:
    assert document_key("a/policy.pdf", "slug") != document_key("b/policy.pdf", "slug")


def test_accents_become_plain_letters_and_other_scripts_still_give_a_key() -> None:
    assert document_key("Prämie.pdf", "slug").startswith("pramie-pdf-")
    assert document_key("保険", "slug").startswith("doc-")


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec=None), min_size=1, max_size=200), st.sampled_from(["slug", "opaque"]))
def test_every_identity_gives_a_valid_repeatable_key(path: str, style: str) -> None:
    key = document_key(path, style)  # pyright: ignore[reportArgumentType]
    assert KEY.fullmatch(key)
    assert key == document_key(path, style)  # pyright: ignore[reportArgumentType]


def test_a_name_that_is_not_utf8_gives_a_key() -> None:
    assert KEY.fullmatch(document_key(b"claim-\xff.pdf".decode("utf-8", "surrogateescape"), "slug"))
