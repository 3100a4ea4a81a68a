"""What is left of a document that is removed, and what belongs to a folder."""

from __future__ import annotations

from pathlib import Path

from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.pdf_writer import flowing_pdf


def ingest(shop: Workshop, folder: Path) -> list[str]:
    plan = make_plan(shop, [folder])
    list(walk(shop, plan.stale))
    remove(shop, plan.gone, forget_vectors=False)
    return plan.keys


def kept_files(shop: Workshop) -> list[Path]:
    return [path for path in (shop.settings.home / "artifacts").rglob("*") if path.is_file()]


def cached(shop: Workshop) -> int:
    return shop.database.fetch("SELECT count(*) FROM tvdb.embedding_cache")[0][0]


def test_a_deleted_document_leaves_no_artifact_and_no_vector_of_any_of_its_versions(shop: Workshop) -> None:
    file = shop.settings.upload_dir / "a.pdf"
    for words in ("The zebra clause.", "The giraffe clause."):
        file.write_bytes(flowing_pdf([words]))
        [key] = ingest(shop, shop.settings.upload_dir)
    assert len(kept_files(shop)) == 3
    remove(shop, [key], forget_vectors=True)
    assert kept_files(shop) == []
    assert cached(shop) == 0


def test_what_another_document_shares_stays(shop: Workshop) -> None:
    for name in ("a.pdf", "b.pdf"):
        (shop.settings.upload_dir / name).write_bytes(flowing_pdf(["The zebra clause."]))
    first, _ = ingest(shop, shop.settings.upload_dir)
    remove(shop, [first], forget_vectors=True)
    assert len(kept_files(shop)) == 3
    assert cached(shop) == 1


def test_a_file_gone_from_a_subfolder_is_removed_whichever_folder_was_named_before(shop: Workshop) -> None:
    below = shop.settings.upload_dir / "sub"
    below.mkdir()
    for name in ("a.pdf", "b.pdf"):
        (below / name).write_bytes(flowing_pdf([f"Clause {name}."]))
    ingest(shop, shop.settings.upload_dir)
    make_plan(shop, [below])
    (below / "b.pdf").unlink()
    ingest(shop, shop.settings.upload_dir)
    assert [document.path for document in registry.load(shop.database)] == ["sub/a.pdf"]


def test_one_endless_word_does_not_hold_up_its_neighbour(shop: Workshop) -> None:
    (shop.settings.upload_dir / "endless.txt").write_text("a" * 400_000)
    (shop.settings.upload_dir / "good.pdf").write_bytes(flowing_pdf(["The zebra clause."]))
    ingest(shop, shop.settings.upload_dir)
    assert {document.state for document in registry.load(shop.database)} == {"ready"}
    longest = shop.database.fetch("SELECT max(length(array_to_string(section, ' '))) FROM tvdb.vector_rows")
    assert longest[0][0] <= 200
