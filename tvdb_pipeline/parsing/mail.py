"""E-mail messages to elements: headers, body and the names of what is attached.

Belongs here: the entry points for .eml and .msg and the order of a message's content. Does not: taking a message file
apart (`mime_message`, `outlook_message`) or reading attachments: each is a document of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tvdb_pipeline.errors import DocumentRefused, TvdbError
from tvdb_pipeline.parsing.assemble import assemble, stable_ids
from tvdb_pipeline.parsing.language_model import prepare
from tvdb_pipeline.parsing.message import Attachment, Message
from tvdb_pipeline.parsing.mime_message import read_mime_message
from tvdb_pipeline.parsing.outlook_message import read_outlook_message
from tvdb_pipeline.parsing.parsed import AttachedFile, ParsedDocument
from tvdb_pipeline.parsing.plain_text import text_elements
from tvdb_pipeline.parsing.web import html_elements

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

Deliver = Callable[[bytes], None]
"""Takes the bytes of an attachment, before the message's result tells of it."""

MOST_ATTACHMENTS = 200
"""Of one message: what is beyond is named as missing."""
_DEEPEST_OUTLOOK_NESTING = 3
_INLINE_LOGO_BYTES = 20_000
_LONGEST_NAME = 200


def parse_eml(data: bytes, deliver: Deliver) -> ParsedDocument:
    """A message as sent (RFC 5322). A message attached to it is an attachment like any other."""
    return _guarded("message/rfc822", lambda: read_mime_message(data), deliver)


def parse_msg(data: bytes, deliver: Deliver) -> ParsedDocument:
    """A message saved by Outlook. Messages attached to it have no file form of their own: they are read here, three deep."""
    return _guarded("application/vnd.ms-outlook", lambda: read_outlook_message(data), deliver)


def _guarded(media_type: str, read: Callable[[], Message], deliver: Deliver) -> ParsedDocument:
    try:
        message = read()
    except (TvdbError, MemoryError):
        raise
    except Exception:
        # Broken messages make the libraries fail in more ways than can be listed; what they say may quote the mail.
        raise DocumentRefused("corrupt", "The message file is damaged or of another type; save it again.") from None
    document = _document(media_type, message, "")
    for attachment, number in _files(message, ""):
        if len(document.attached) == MOST_ATTACHMENTS:
            document.missing.append(f"attachments after the first {MOST_ATTACHMENTS} were not read")
            break
        deliver(attachment.content)
        digest = hashlib.sha256(attachment.content).hexdigest()
        document.attached.append(
            AttachedFile(number, attachment.name[-_LONGEST_NAME:], digest, len(attachment.content))
        )
    return document


def _document(media_type: str, message: Message, place: str) -> ParsedDocument:
    document = assemble(media_type, _message_elements(message))
    document.missing += message.missing
    for number, attachment in _numbered(message, place):
        if attachment.message is None:
            continue
        if number.count(".") + 1 >= _DEEPEST_OUTLOOK_NESTING:
            document.missing.append(f"attachment {number} was not read: nested too deep")
        else:
            _append(document, _document(media_type, attachment.message, number + "."), number, attachment.name)
    stable_ids(document.elements)
    return document


def _files(message: Message, place: str) -> list[tuple[Attachment, str]]:
    """The attached files of a message and of those messages in it that are read with it."""
    found: list[tuple[Attachment, str]] = []
    for number, attachment in _numbered(message, place):
        if attachment.message is None:
            found.append((attachment, number))
        elif number.count(".") + 1 < _DEEPEST_OUTLOOK_NESTING:
            found += _files(attachment.message, number + ".")
    return found


def _numbered(message: Message, place: str) -> list[tuple[str, Attachment]]:
    return [
        (f"{place}{number}", attachment)
        for number, attachment in enumerate(message.attachments, start=1)
        if not (attachment.inline and attachment.is_image and len(attachment.content) <= _INLINE_LOGO_BYTES)
    ]


def _message_elements(message: Message) -> list[Element]:
    prepare()
    from unstructured.documents.elements import Text, Title

    elements: list[Element] = [Title(message.subject)] if message.subject else []
    names = "; ".join(attachment.name for _, attachment in _numbered(message, ""))
    shown = [*message.headers, ("Attachments", names)]
    headers = "\n".join(f"{name}: {value}" for name, value in shown if value)
    elements += [Text(headers)] if headers else []
    for body in message.bodies:
        elements += html_elements(body.text) if body.is_html else text_elements(body.text)
    for element in elements:
        element.metadata.page_number = 1
    return elements


def _append(document: ParsedDocument, parsed: ParsedDocument, number: str, name: str) -> None:
    from unstructured.documents.elements import Title

    offset = max((page.number for page in document.pages), default=0)
    heading = Title(f"Attachment: {name}")
    heading.metadata.page_number = offset + 1
    for element in parsed.elements:
        element.metadata.page_number = (element.metadata.page_number or 1) + offset
    document.elements += [heading, *parsed.elements]
    document.pages += [replace(page, number=page.number + offset) for page in parsed.pages]
    document.missing += [f"attachment {number}: {sentence}" for sentence in parsed.missing]
