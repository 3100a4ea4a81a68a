"""A message as sent (RFC 5322 with MIME) to its headers, bodies and attachments.

Belongs here: the parts of a MIME message and what each is to its reader. Does not: Outlook files (`outlook_message`) or
elements (`mail`).
"""

from __future__ import annotations

import email
import email.policy
import mimetypes
from contextlib import suppress
from email.message import Message as MimePart

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.message import Attachment, Body, Message, plain_name
from tvdb_pipeline.parsing.plain_text import decode, is_charset

_SHOWN_HEADERS = ("From", "To", "Cc", "Date")
_KNOWN_HEADERS = (*_SHOWN_HEADERS, "Subject", "Received", "MIME-Version", "Content-Type", "Message-ID")
_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"})
_SEALED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_DEEPEST_PARTS = 20


def read_mime_message(data: bytes) -> Message:
    """The message in the bytes of an .eml file."""
    # The older policy keeps a broken header as it is, where the newer one fails on it.
    root = email.message_from_bytes(data.lstrip(), policy=email.policy.compat32)
    if not any(name in root for name in _KNOWN_HEADERS):
        raise DocumentRefused("corrupt", "The file is no e-mail message: it has no headers. Save the message again.")
    message = Message(subject=_header(root, "Subject"))
    message.headers = [(name, _header(root, name)) for name in _SHOWN_HEADERS]
    if root.get_content_type() == "multipart/encrypted" or _is_sealed(root):
        raise DocumentRefused("encrypted", "The message is encrypted; save it decrypted and try again.")
    _take(root, message, inline=False, depth=0)
    return message


def _take(part: MimePart, message: Message, inline: bool, depth: int) -> None:
    kind = part.get_content_type()
    if kind in _SIGNATURES or depth > _DEEPEST_PARTS:
        return
    if kind == "message/rfc822":
        _attach_message(part, message)
    elif part.is_multipart():
        _take_parts(part, message, inline, depth)
    elif kind in ("text/plain", "text/html") and not _is_file(part) and not inline:
        text = _text(part)
        if text is None:
            message.missing.append("a part of the message body was not read: it is no text")
        else:
            message.bodies.append(Body(text, is_html=kind == "text/html"))
    else:
        _attach(part, message, inline)


def _take_parts(part: MimePart, message: Message, inline: bool, depth: int) -> None:
    children = [child for child in part.get_payload() if isinstance(child, MimePart)]
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        chosen = _best_form(children)
        for child in children:
            # The same words in another form are read once; a file among the forms is still a file.
            if child is chosen or _is_file(child):
                _take(child, message, inline, depth + 1)
    elif kind == "multipart/related":
        for index, child in enumerate(children):
            _take(child, message, inline or index > 0, depth + 1)
    else:
        for child in children:
            _take(child, message, inline, depth + 1)


def _best_form(children: list[MimePart]) -> MimePart | None:
    """HTML where it has words, for its tables and lists; else plain text; else the richest form, which is the last."""
    for wanted in ("text/html", "text/plain"):
        for child in reversed(children):
            if any(leaf.get_content_type() == wanted and (_text(leaf) or "").strip() for leaf in child.walk()):
                return child
    return children[-1] if children else None


def _attach(part: MimePart, message: Message, inline: bool) -> None:
    kind = part.get_content_type()
    content = _bytes(part)
    if not content:
        return
    number = len(message.attachments) + 1
    name = plain_name(_file_name(part), f"attachment-{number}{mimetypes.guess_extension(kind) or '.bin'}")
    disposition = part.get_content_disposition()
    shown_inline = disposition != "attachment" and (inline or disposition == "inline" or "Content-ID" in part)
    message.attachments.append(Attachment(name, content, kind.startswith("image/"), shown_inline))


def _attach_message(part: MimePart, message: Message) -> None:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    content = inner.as_bytes() if isinstance(inner, MimePart) else _bytes(part)
    if content:
        name = plain_name(_file_name(part), f"message-{len(message.attachments) + 1}.eml")
        message.attachments.append(Attachment(name if name.lower().endswith(".eml") else name + ".eml", content))


def _is_sealed(part: MimePart) -> bool:
    # A message signed the opaque way is readable in principle, but only by unwrapping the signature.
    return part.get_content_type() in _SEALED


def _is_file(part: MimePart) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _text(part: MimePart) -> str | None:
    """The words of a part, None where it holds none at all."""
    charset = part.get_content_charset()
    content = _bytes(part)
    if charset not in ("utf-8", "us-ascii") and is_charset(charset):
        with suppress(UnicodeError):
            return content.decode(charset or "ascii")
    try:
        return decode(content, charset)
    except DocumentRefused:
        return None


def _bytes(part: MimePart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _header(part: MimePart, name: str) -> str:
    """A header as a person reads it, encoded words decoded and line breaks gone."""
    return _decoded(str(part.get(name) or ""))


def _file_name(part: MimePart) -> str | None:
    name = part.get_filename()
    return _decoded(name) if name else None


def _decoded(value: str) -> str:
    from email.errors import HeaderParseError
    from email.header import decode_header

    pieces: list[str] = []
    try:
        for piece, charset in decode_header(value):
            pieces.append(piece if isinstance(piece, str) else decode(piece, charset))
    except (HeaderParseError, ValueError, DocumentRefused):
        pieces = [value]
    return " ".join("".join(pieces).encode("utf-8", "replace").decode().split())
