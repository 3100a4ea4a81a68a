"""Answering a query: where it is allowed to look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding.requests import text_hash
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.vectorstore import rows

TEXT = "Hail is covered."


@pytest.fixture
def filled(shop: Workshop) -> Workshop:
    """Three documents that hold the same sentence: two in folders of the upload folder, one outside it."""
    documents = {"a": "home/a.pdf", "b": "car/b.pdf", "c": "/srv/c.pdf"}
    with shop.database.connection() as conn:
        registry.register(conn, [(key, path, None) for key, path in documents.items()])
        for key in documents:
            rows.swap(conn, key, [Chunk(0, TEXT, 4, text_hash(TEXT), 1, 1, ())], {})
    return shop


def found(shop: Workshop, *within: str) -> list[str]:
    return sorted(passage.key for passage in answer(shop, "hail", 10, "fused", within).passages)


def test_without_a_place_everything_is_searched(filled: Workshop) -> None:
    assert found(filled) == ["a", "b", "c"]


def test_places_are_keys_and_paths_and_may_be_several(filled: Workshop) -> None:
    assert found(filled, "a") == ["a"]
    assert found(filled, "home", "/srv/c.pdf") == ["a", "c"]


def test_a_folder_may_be_named_as_the_shell_sees_it(filled: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = filled.settings.upload_dir
    assert found(filled, str(uploads / "car")) == ["b"]
    assert found(filled, str(uploads)) == ["a", "b"]
    assert found(filled, str(uploads.parent)) == ["a", "b"]
    monkeypatch.chdir(uploads)
    assert found(filled, ".") == ["a", "b"]
    assert found(filled, "./home/") == ["a"]


@pytest.mark.parametrize("place", ["boat", "", str(Path("/nowhere"))])
def test_a_place_without_a_document_is_refused(filled: Workshop, place: str) -> None:
    with pytest.raises(TvdbError, match="No document has this key or lies under this path") as refused:
        answer(filled, "hail", 10, "fused", ["a", place])
    assert refused.value.code == "not_registered"
