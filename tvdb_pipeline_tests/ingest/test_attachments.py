"""Files attached to messages: documents of their own that come, change and go with their message."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tvdb_pipeline.documents import attachments, registry
from tvdb_pipeline.documents.attachments import descendants
from tvdb_pipeline.documents.registry import Document
from tvdb_pipeline.ingest.planning import come_to_light, make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.quoting import quote_places
from tvdb_pipeline.ingest.sweeping import due
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.pdf_writer import Page, pdf

LETTER = "The zephyr clause insures hot air balloons against sudden gusts."
PHOTOGRAPHS = "The photographs show the dented envelope of the balloon."


def message(subject: str = "Claim 42", **files: bytes | EmailMessage) -> EmailMessage:
    """A message with these attachments; keywords are names, `_` standing for the dot."""
    mail = EmailMessage()
    mail["Subject"], mail["From"] = subject, "ann@example.com"
    mail.set_content("Please find the letter attached.")
    for name, content in files.items():
        if isinstance(content, EmailMessage):
            mail.add_attachment(content, filename=name.replace("_", "."))
        else:
            mail.add_attachment(content, "application", "octet-stream", filename=name.replace("_", "."))
    return mail


def letter(text: str = LETTER) -> bytes:
    return pdf(Page().text(72, 100, text))


def put(shop: Workshop, mail: EmailMessage, name: str = "claim.eml") -> None:
    shop.settings.upload_dir.mkdir(exist_ok=True)
    (shop.settings.upload_dir / name).write_bytes(mail.as_bytes())


def ingest(shop: Workshop) -> dict[str, Document]:
    """Ingest the upload folder with all that comes to light; documents by path, without those deleted."""
    plan = make_plan(shop, [shop.settings.upload_dir])
    keys = plan.stale
    while keys:
        list(walk(shop, keys))
        keys = come_to_light(shop, plan)
        plan.stale += keys
    return {document.path: document for document in registry.load(shop.database)}


def test_each_attachment_is_a_document_of_its_own_tied_to_its_message(shop: Workshop) -> None:
    forwarded = message("Earlier", photos_pdf=letter(PHOTOGRAPHS))
    put(shop, message(letter_pdf=letter(), cut_pdf=b"%PDF-1.4\n", tool_exe=b"MZ\x00\x01", fwd_eml=forwarded))
    found = ingest(shop)
    states = {path: (document.state, (document.error or {}).get("code")) for path, document in found.items()}
    assert states == {
        "claim.eml": ("ready", None),
        "claim.eml!/1/letter.pdf": ("ready", None),
        "claim.eml!/2/cut.pdf": ("rejected", "corrupt"),
        "claim.eml!/3/tool.exe": ("rejected", "unsupported"),
        "claim.eml!/4/fwd.eml": ("ready", None),
        "claim.eml!/4/fwd.eml!/1/photos.pdf": ("ready", None),
    }
    mail, attached = found["claim.eml"], found["claim.eml!/1/letter.pdf"]
    assert (attached.parent_key, mail.parent_key) == (mail.key, None)
    assert attached.key.startswith("letter-pdf-")
    best = answer(shop, LETTER, 1, "fused").passages[0]
    assert (best.key, best.page) == (attached.key, 1)
    again = make_plan(shop, [shop.settings.upload_dir])
    assert (len(again.keys), again.stale, again.gone) == (6, [], [])
    (shop.settings.upload_dir / "claim.eml").unlink()
    assert len(make_plan(shop, [shop.settings.upload_dir]).gone) == 6


def test_messages_nested_too_deep_are_named_in_the_message_that_holds_them(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "DEEPEST", 1)
    put(shop, message("1", in_eml=message("2", letter_pdf=letter())))
    found = ingest(shop)
    assert len(found) == 2
    assert found["claim.eml!/1/in.eml"].state == "partial"
    assert "nested too deep" in (found["claim.eml!/1/in.eml"].error or {})["message"]


def test_a_changed_attachment_is_read_anew_and_one_left_out_goes(shop: Workshop) -> None:
    put(shop, message(letter_pdf=letter(), photos_pdf=letter(PHOTOGRAPHS)))
    before = ingest(shop)
    put(shop, message(letter_pdf=letter("The revised clause insures kites.")))
    after = ingest(shop)
    assert set(after) == {"claim.eml", "claim.eml!/1/letter.pdf"}
    key = after["claim.eml!/1/letter.pdf"].key
    assert key == before["claim.eml!/1/letter.pdf"].key
    texts = shop.database.fetch("SELECT text FROM tvdb.vector_rows WHERE document_key = %s", (key,))
    assert texts == [("The revised clause insures kites.",)]
    kept = {file.name for file in (shop.settings.home / "artifacts" / "raw_file").rglob("*") if file.is_file()}
    assert kept == {document.content_sha256 for document in after.values()}


def test_the_same_file_attached_twice_is_kept_once_and_outlives_one_message(shop: Workshop) -> None:
    from tvdb_pipeline.ingest.removal import remove

    put(shop, message("1", letter_pdf=letter()))
    put(shop, message("2", letter_pdf=letter()), "second.eml")
    found = ingest(shop)
    key = found["claim.eml"].key
    remove(shop, [key, *descendants(shop.database, [key])], "command")
    left = ingest_again(shop, found["second.eml!/1/letter.pdf"].key)
    assert left.state == "ready"
    assert answer(shop, LETTER, 1, "fused").passages[0].key == left.key


def ingest_again(shop: Workshop, key: str) -> Document:
    list(walk(shop, [key]))
    return registry.load(shop.database, [key])[0]


def test_an_attachment_whose_bytes_were_lost_comes_back_with_its_message(shop: Workshop) -> None:
    put(shop, message(letter_pdf=letter()))
    found = ingest(shop)
    attached = found["claim.eml!/1/letter.pdf"]
    assert attached.given_sha256 is not None
    shop.artifacts.remove("raw_file", attached.given_sha256)
    failed = ingest_again(shop, attached.key)
    assert (failed.error or {})["code"] == "attachment_gone"
    list(walk(shop, [found["claim.eml"].key]))
    assert ingest_again(shop, attached.key).state == "ready"


def test_a_quote_lets_nothing_run_and_a_killed_run_is_taken_up_by_itself(shop: Workshop) -> None:
    put(shop, message(letter_pdf=letter()))
    quoted = quote_places(shop, [shop.settings.upload_dir])
    assert (quoted.documents, quoted.texts) == (2, 2)
    assert due(shop) == []
    list(walk(shop, make_plan(shop, [shop.settings.upload_dir]).stale[:1]))
    assert [document.path for document in due(shop)] == ["claim.eml!/1/letter.pdf"]
