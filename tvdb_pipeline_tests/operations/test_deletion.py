"""Deleting a document from the shell."""

from __future__ import annotations

import pytest

from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.claims import Claims
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.operations.ingestion import delete_document
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs


def test_a_document_under_way_is_deleted_only_when_that_is_done(shop: Workshop) -> None:
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(paragraphs(2)))
    plan = make_plan(shop, [shop.settings.upload_dir])
    list(walk(shop, plan.stale))
    (key,) = plan.keys
    with Claims(shop.database) as worker:
        worker.take([key])
        with pytest.raises(TvdbError) as refused:
            delete_document(shop, key)
    assert refused.value.code == "busy"
    assert [document.state for document in registry.load(shop.database)] == ["ready"]
    assert delete_document(shop, key) > 0
    assert registry.load(shop.database) == []
    counts = "SELECT (SELECT count(*) FROM tvdb.vector_rows) + (SELECT count(*) FROM tvdb.embedding_cache)"
    assert shop.database.fetch(counts) == [(0,)]
    assert [file for file in (shop.settings.home / "artifacts").rglob("*") if file.is_file()] == []
