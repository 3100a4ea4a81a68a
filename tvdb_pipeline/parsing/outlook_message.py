"""A message saved by Outlook (.msg) to its headers, bodies and attachments.

Belongs here: the storages and properties of a .msg file. Does not: messages as sent (`mime_message`) or elements
(`mail`).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.message import Attachment, Body, Message, plain_name
from tvdb_pipeline.parsing.mime_message import read_mime_message
from tvdb_pipeline.parsing.plain_text import decode

if TYPE_CHECKING:
    from oxmsg.storage import Storage

_ROOT_HEADER, _EMBEDDED_HEADER = 32, 24
_SHORT_NAME, _DISPLAY_NAME, _MIME_TYPE, _CONTENT_ID, _RTF_BODY = 0x3704, 0x3001, 0x370E, 0x3712, 0x1009
_DISPLAY_TO, _DISPLAY_CC = 0x0E04, 0x0E03
_DEEPEST = 8


def read_outlook_message(data: bytes) -> Message:
    """The message in the bytes of a .msg file."""
    import olefile
    from oxmsg.storage import Storage

    if not olefile.isOleFile(data=data):
        raise DocumentRefused("corrupt", "The file is no Outlook message; save the message again.")
    with olefile.OleFileIO(io.BytesIO(data)) as container:
        if not container.exists("__properties_version1.0"):
            raise DocumentRefused("corrupt", "The file is no Outlook message; save the message again.")
        return _message(Storage.from_ole(container), _ROOT_HEADER, depth=0)


def _message(storage: Storage, header: int, depth: int) -> Message:
    from oxmsg.domain import constants as c
    from oxmsg.message import Message as OutlookMessage
    from oxmsg.properties import Properties

    source = OutlookMessage(storage)
    properties = Properties(storage, properties_header_offset=header)
    # A message inside another has a shorter header than the library expects of every message.
    source.__dict__["_properties"] = properties
    kind = source.message_class.upper()
    files = [_attachment(one, number, depth) for number, one in enumerate(source.attachments, start=1)]
    if kind.startswith("IPM.NOTE.SMIME"):
        return _signed_message(kind, files)
    message = Message(subject=" ".join(source.subject.split()))
    sent = source.sent_date
    message.headers = [
        ("From", source.sender or ""),
        ("To", _recipients(source, properties.str_prop_value(_DISPLAY_TO))),
        ("Cc", properties.str_prop_value(_DISPLAY_CC) or ""),
        ("Date", sent.strftime("%Y-%m-%d %H:%M UTC") if sent else ""),
    ]
    html, text = _html(properties), properties.str_prop_value(c.PID_BODY) or ""
    if html.strip():
        message.bodies.append(Body(html, is_html=True))
    elif text.strip():
        message.bodies.append(Body(text))
    elif properties.binary_prop_value(_RTF_BODY):
        message.missing.append("the message body was not read: rich text only")
    message.attachments = [one for one in files if one is not None]
    lost = sum(one is None for one in files)
    if lost:
        message.missing.append(f"{lost} attachment{'s' if lost > 1 else ''} not read: stored outside the message")
    return message


def _signed_message(kind: str, files: list[Attachment | None]) -> Message:
    """A signed message keeps all it holds in one attachment, in the form it was sent in."""
    if kind.endswith("MULTIPARTSIGNED") and len(files) == 1 and files[0] is not None:
        return read_mime_message(files[0].content)
    raise DocumentRefused("encrypted", "The message is encrypted; save it decrypted and try again.")


def _recipients(source: Any, displayed: str | None) -> str:
    addresses = [
        f"{person.name} <{person.email_address}>" if person.name != person.email_address else person.name
        for person in source.recipients
        if "@" in person.email_address
    ]
    # The line Outlook displays tells the recipients from those copied; the list of people does not.
    return displayed if displayed and len(addresses) != 1 else ", ".join(addresses) or displayed or ""


def _html(properties: Any) -> str:
    from oxmsg.domain import constants as c

    content = properties.binary_prop_value(c.PID_HTML)
    if not content:
        return properties.str_prop_value(c.PID_BODY_HTML) or ""
    return decode(content, properties.body_encoding)


def _attachment(source: Any, number: int, depth: int) -> Attachment | None:
    """One attachment; None for a link to a file that is not in the message."""
    properties = source.properties
    name = source.file_name or properties.str_prop_value(_SHORT_NAME) or properties.str_prop_value(_DISPLAY_NAME)
    embedded = next((one for one in source._storage.storages if one.name == "__substg1.0_3701000D"), None)
    if embedded is not None:
        if depth >= _DEEPEST or not any(stream.name == "__properties_version1.0" for stream in embedded.streams):
            return None
        inner = _message(embedded, _EMBEDDED_HEADER, depth + 1)
        return Attachment(plain_name(name or inner.subject, f"message-{number}"), message=inner)
    content = source.file_bytes
    if not content:
        return None
    kind = properties.str_prop_value(_MIME_TYPE) or ""
    is_image = kind.startswith("image/") or content[:4] in (b"\x89PNG", b"GIF8") or content[:3] == b"\xff\xd8\xff"
    inline = bool(properties.str_prop_value(_CONTENT_ID))
    return Attachment(plain_name(name, f"attachment-{number}.bin"), content, is_image, inline)
