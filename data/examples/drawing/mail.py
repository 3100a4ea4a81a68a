"""An e-mail with an attachment, with fixed identifiers so that it is the same at every drawing."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP


def to_eml(headers: Mapping[str, str], body: str, attachment: str, name: str) -> bytes:
    """A plain-text message with one CSV attachment."""
    message = EmailMessage(policy=SMTP)
    for key, value in headers.items():
        message[key] = value
    message.set_content(body)
    message.add_attachment(attachment, subtype="csv", filename=name)
    message.set_boundary("=====synthetic-example-boundary=====")
    return message.as_bytes()
