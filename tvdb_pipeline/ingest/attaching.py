"""What came attached to a message, made documents of their own.

Belongs here: keeping the files, registering and letting go of them. Does not: reading messages, or running what was registered.
"""

from __future__ import annotations

from collections.abc import Sequence

from tvdb_pipeline.documents import attachments
from tvdb_pipeline.documents.identity import attachment_identity, document_key
from tvdb_pipeline.documents.registry import Document, expect_run, keys_of
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.removal import drop_artifacts, remove
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.parsing.parsed import ParsedDocument


def keep_files(shop: Workshop, contents: Sequence[bytes]) -> None:
    """Keep the bytes of attachments under their content hashes. Raises TvdbError(`disk`)."""
    for content in contents:
        shop.artifacts.keep_bytes(content)


def all_kept(shop: Workshop, parsed: ParsedDocument) -> bool:
    """Whether the bytes of every attachment are still there; if not, the message has to be read again."""
    return all(shop.artifacts.has("raw_file", file.sha256) for file in parsed.attached)


def adopt(shop: Workshop, message: Document, parsed: ParsedDocument, *, to_run: bool) -> list[str]:
    """Make the documents attached to `message` those that were found in it; sentences on what was left out.

    to_run: those not read yet are due at once; otherwise they wait for whoever registered the message.
    """
    if parsed.attached and attachments.depth(shop.database, message.key) >= attachments.DEEPEST:
        return [f"attachment {file.number} was not read: nested too deep" for file in parsed.attached]
    named = {attachment_identity(message.path, file.number, file.name): file for file in parsed.attached}
    known = keys_of(shop.database, list(named))
    style = shop.settings.key_style
    rows = [(known.get(path) or document_key(path, style), path, file.sha256) for path, file in named.items()]
    with shop.database.connection() as conn:
        change = attachments.adopt(conn, message.key, rows)
    for sha256 in change.replaced:
        drop_artifacts(shop, {"raw_file": sha256})
    if change.gone:
        remove(shop, [*change.gone, *attachments.descendants(shop.database, change.gone)], "vanished")
    if to_run:
        # Also those an earlier quote had registered.
        expect_run(shop.database, [key for key, _, _ in rows], 0.0)
    return []


def refuse_apart(document: Document) -> None:
    """An attachment goes with its message. Raises TvdbError(`attachment`)."""
    if document.parent_key is not None:
        raise TvdbError(
            "attachment", f"The document is attached to {document.parent_key}; delete that, and this goes with it."
        )
