"""What is left of a document that is removed, and what belongs to a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tvdb_pipeline import waypoints
from tvdb_pipeline.documents import erasure_lists, registry
from tvdb_pipeline.embedding import refused
from tvdb_pipeline.embedding.claims import TextClaims
from tvdb_pipeline.embedding.slips import Label, Slips
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.sweeping import tidy
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.watching import look
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.pdf_writer import flowing_pdf


def ingest(shop: Workshop, folder: Path) -> list[str]:
    plan = make_plan(shop, [folder])
    list(walk(shop, plan.stale))
    remove(shop, plan.gone, "vanished")
    return plan.keys


def kept_files(shop: Workshop) -> list[Path]:
    return [path for path in (shop.settings.home / "artifacts").rglob("*") if path.is_file()]


def killed_at(point: str) -> Callable[[str], None]:
    """Ends what is being done at this waypoint."""

    def listen(name: str) -> None:
        if name == point:
            raise KeyboardInterrupt

    return listen


def cached(shop: Workshop) -> int:
    return shop.database.fetch("SELECT count(*) FROM tvdb.embedding_cache")[0][0]


def test_a_deleted_document_leaves_no_artifact_and_no_vector_of_any_of_its_versions(shop: Workshop) -> None:
    file = shop.settings.upload_dir / "a.pdf"
    for words in ("The zebra clause.", "The giraffe clause."):
        file.write_bytes(flowing_pdf([words]))
        [key] = ingest(shop, shop.settings.upload_dir)
    assert len(kept_files(shop)) == 3
    remove(shop, [key], "command")
    assert kept_files(shop) == []
    assert cached(shop) == 0


def test_what_another_document_shares_stays(shop: Workshop) -> None:
    for name in ("a.pdf", "b.pdf"):
        (shop.settings.upload_dir / name).write_bytes(flowing_pdf(["The zebra clause."]))
    first, _ = ingest(shop, shop.settings.upload_dir)
    remove(shop, [first], "command")
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


def test_what_a_refused_version_came_after_is_erased_too(shop: Workshop) -> None:
    file = shop.settings.upload_dir / "a.pdf"
    for body in (flowing_pdf(["The zebra clause."]), b"%PDF-1.7\nnothing of use", flowing_pdf(["The giraffe clause."])):
        file.write_bytes(body)
        [key] = ingest(shop, shop.settings.upload_dir)
    assert len(kept_files(shop)) > 3
    remove(shop, [key], "command")
    assert kept_files(shop) == []
    assert shop.database.fetch("SELECT count(*) FROM tvdb.former_artifacts") == [(0,)]


def test_artifacts_no_document_names_go_once_they_are_old(shop: Workshop) -> None:
    file = shop.settings.upload_dir / "a.pdf"
    for body in (flowing_pdf(["The zebra clause."]), b"%PDF-1.7\nnothing of use"):
        file.write_bytes(body)
        [key] = ingest(shop, shop.settings.upload_dir)
    shop.artifacts.put("chunks", "f" * 64, b"of a walk that was killed")
    tidy(shop)
    assert len(kept_files(shop)) == 5
    for path in kept_files(shop):
        os.utime(path, (1, 1))
    tidy(shop)
    assert len(kept_files(shop)) == 5, "all are looked at once an hour"
    (shop.settings.home / "orphans-dropped").unlink()
    tidy(shop)
    assert [path.name for path in kept_files(shop)] == [registry.load(shop.database, [key])[0].content_sha256]


def test_files_of_a_removal_that_was_killed_go_with_the_next_sweep(shop: Workshop) -> None:
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(["The zebra clause."]))
    [key] = ingest(shop, shop.settings.upload_dir)
    shop.shelf(key, "v").keep(2, {1: b"{}"})
    waypoints.listen(killed_at("removal.marked"))
    with pytest.raises(KeyboardInterrupt):
        remove(shop, [key], "command")
    waypoints.listen(None)
    assert len(kept_files(shop)) == 3
    tidy(shop)
    assert kept_files(shop) == []
    assert shop.shelf(key, "v").kept() == (0, {})
    assert [erasure.key for erasure in erasure_lists.read(shop.settings.home)] == [key]


def test_vectors_of_a_vanished_file_are_forgotten_when_what_was_under_way_has_come_to_rest(shop: Workshop) -> None:
    for name in ("a.pdf", "b.pdf"):
        (shop.settings.upload_dir / name).write_bytes(flowing_pdf([f"Clause {name}."]))
    plan = make_plan(shop, [shop.settings.upload_dir])
    first, second = plan.keys
    list(walk(shop, [first]))
    remove(shop, [first], "vanished")
    tidy(shop)
    assert cached(shop) == 1, "b.pdf might be its new name"
    list(walk(shop, [second]))
    tidy(shop)
    assert cached(shop) == 1
    (row,) = shop.database.fetch("SELECT text_sha256 FROM tvdb.embedding_cache")
    assert shop.database.fetch("SELECT document_key FROM tvdb.document_texts WHERE text_sha256 = %s", row) == [
        (second,)
    ]


def test_vectors_a_killed_walk_had_bought_are_forgotten_with_its_document(shop: Workshop) -> None:
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(["The zebra clause."]))
    plan = make_plan(shop, [shop.settings.upload_dir])
    waypoints.listen(killed_at("embeddings.judged"))
    with pytest.raises(KeyboardInterrupt):
        list(walk(shop, plan.stale))
    waypoints.listen(None)
    assert cached(shop) == 1
    remove(shop, plan.keys, "command")
    assert cached(shop) == 0


def test_texts_noted_by_a_walk_that_came_too_late_are_forgotten_with_the_next_sweep(shop: Workshop) -> None:
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(["The zebra clause."]))
    plan = make_plan(shop, [shop.settings.upload_dir])

    def erased_meanwhile(name: str) -> None:
        if name == "buying.known":
            waypoints.listen(None)
            remove(shop, plan.keys, "command")

    waypoints.listen(erased_meanwhile)
    outcomes = list(walk(shop, plan.stale))
    assert outcomes[-1].error is not None
    assert outcomes[-1].error.code == "claim_lost"
    assert cached(shop) == 1
    tidy(shop)
    assert cached(shop) == 0
    assert shop.database.fetch("SELECT count(*) FROM tvdb.document_texts") == [(0,)]


def test_answers_left_behind_and_what_else_names_a_text_go_with_its_document(shop: Workshop) -> None:
    (shop.settings.upload_dir / "a.pdf").write_bytes(flowing_pdf(["The zebra clause."]))
    [key] = ingest(shop, shop.settings.upload_dir)
    ((text,),) = shop.database.fetch("SELECT text_sha256 FROM tvdb.document_texts")
    slips = Slips(shop.settings.home / "slips")
    for name, hashes in (("its", ["0" * 64, text]), ("other", ["0" * 64])):
        slips.open(Label(name, 1, "m", "owner", hashes)).leave()
    with shop.database.connection() as conn:
        refused.note(conn, "m", [text, "0" * 64])
    TextClaims(shop.database, "m", lease=-1).take([text])
    remove(shop, [key], "command")
    assert [label.request_key for label, _, _ in slips.left_behind()] == ["other"]
    assert shop.database.fetch("SELECT text_sha256 FROM tvdb.refused_texts") == [("0" * 64,)]
    assert shop.database.fetch("SELECT count(*) FROM tvdb.embedding_claims") == [(0,)]


def test_a_file_left_lying_is_not_taken_up_again_until_it_changes_or_somebody_says_so(shop: Workshop) -> None:
    file = shop.settings.upload_dir / "a.pdf"
    file.write_bytes(flowing_pdf(["The zebra clause."]))
    for _ in range(2):
        look(shop)
    [key] = ingest(shop, shop.settings.upload_dir)
    remove(shop, [key], "command")
    assert [look(shop).stale for _ in range(3)] == [[], [], []]
    assert shop.database.fetch("SELECT count(*) FROM tvdb.observations") == [(0,)]
    ingest(shop, shop.settings.upload_dir)
    assert [document.state for document in registry.load(shop.database)] == ["ready"]
    assert look(shop).gone == []
    remove(shop, [key], "command")
    file.write_bytes(flowing_pdf(["The giraffe clause."]))
    seen = [look(shop).stale for _ in range(2)]
    assert [[document.key for document in stale] for stale in seen] == [[], [key]]
