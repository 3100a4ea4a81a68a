"""E-mail messages to elements: headers and body first, then each attachment on pages of its own.

Belongs here: the entry points for .eml and .msg and the order of a message's content. Does not: taking a message file
apart (`mime_message`, `outlook_message`) or reading attachments (the caller's `parse_attachment`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.assemble import assemble, stable_ids
from tvdb_pipeline.parsing.language_model import prepare
from tvdb_pipeline.parsing.message import Attachment, Message
from tvdb_pipeline.parsing.mime_message import read_mime_message
from tvdb_pipeline.parsing.outlook_message import read_outlook_message
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.plain_text import text_elements
from tvdb_pipeline.parsing.web import html_elements

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

ParseAttachment = Callable[[bytes, str], ParsedDocument]

_DEEPEST_OUTLOOK_NESTING = 3
_INLINE_LOGO_BYTES = 20_000


def parse_eml(data: bytes, parse_attachment: ParseAttachment) -> ParsedDocument:
    """A message as sent (RFC 5322). Attachments go to `parse_attachment`; one it refuses is named in `missing`."""
    return _guarded("message/rfc822", lambda: read_mime_message(data), parse_attachment)


def parse_msg(data: bytes, parse_attachment: ParseAttachment) -> ParsedDocument:
    """A message saved by Outlook. Messages attached to it are part of the same file and read here, three deep."""
    return _guarded("application/vnd.ms-outlook", lambda: read_outlook_message(data), parse_attachment)


def _guarded(media_type: str, read: Callable[[], Message], parse_attachment: ParseAttachment) -> ParsedDocument:
    try:
        message = read()
    except (TvdbError, MemoryError):
        raise
    except Exception:
        # Broken messages make the libraries fail in more ways than can be listed; what they say may quote the mail.
        raise DocumentRefused("corrupt", "The message file is damaged or of another type; save it again.") from None
    return _document(media_type, message, parse_attachment, depth=0)


def _document(media_type: str, message: Message, parse_attachment: ParseAttachment, depth: int) -> ParsedDocument:
    document = assemble(media_type, _message_elements(message))
    document.missing += message.missing
    for number, attachment in enumerate(message.attachments, start=1):
        if attachment.inline and attachment.is_image and len(attachment.content) <= _INLINE_LOGO_BYTES:
            continue
        try:
            parsed = _parsed(attachment, media_type, parse_attachment, depth)
        except DocumentRefused as refusal:
            document.missing.append(f"attachment {number} was not read: {refusal.code.replace('_', ' ')}")
            continue
        _append(document, parsed, number, attachment.name)
    stable_ids(document.elements)
    return document


def _parsed(attachment: Attachment, media_type: str, parse_attachment: ParseAttachment, depth: int) -> ParsedDocument:
    if attachment.message is None:
        return parse_attachment(attachment.content, attachment.name)
    if depth + 1 >= _DEEPEST_OUTLOOK_NESTING:
        raise DocumentRefused("nested_too_deep", "The message is nested too deep in others; save it on its own.")
    return _document(media_type, attachment.message, parse_attachment, depth + 1)


def _message_elements(message: Message) -> list[Element]:
    prepare()
    from unstructured.documents.elements import Text, Title

    elements: list[Element] = [Title(message.subject)] if message.subject else []
    headers = "\n".join(f"{name}: {value}" for name, value in message.headers if value)
    elements += [Text(headers)] if headers else []
    for body in message.bodies:
        elements += html_elements(body.text) if body.is_html else text_elements(body.text)
    for element in elements:
        element.metadata.page_number = 1
    return elements


def _append(document: ParsedDocument, parsed: ParsedDocument, number: int, name: str) -> None:
    from unstructured.documents.elements import Title

    offset = max((page.number for page in document.pages), default=0)
    heading = Title(f"Attachment: {name}")
    heading.metadata.page_number = offset + 1
    for element in parsed.elements:
        element.metadata.page_number = (element.metadata.page_number or 1) + offset
    document.elements += [heading, *parsed.elements]
    document.pages += [replace(page, number=page.number + offset) for page in parsed.pages]
    document.missing += [f"attachment {number}: {sentence}" for sentence in parsed.missing]
